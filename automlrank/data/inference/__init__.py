"""Parts of the inference of a schema: what names, values and lists tell of a column."""
