"""The workbook for operators who look at the app itself: its own queries, run with checked values."""
