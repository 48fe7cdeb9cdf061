"""The Azure workbook, made from its queries and its layout. `python -m infra.workbooks` writes the committed files."""
