"""The app itself: importing it, checking its functions, running one of them."""
