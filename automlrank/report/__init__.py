"""What a run has found, for people: cells, comparisons, tables, figures, pages, files."""
