"""Tables: read, infer a schema, split, encode, store, and make batches."""
