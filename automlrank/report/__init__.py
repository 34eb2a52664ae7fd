"""Reports of a run: cells, comparisons, tables, figures, pages, files."""
