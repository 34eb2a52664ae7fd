"""The way of the data: read, infer, split, encode, store, batches."""
