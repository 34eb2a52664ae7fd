"""Shared parts: small modules and functions that several blocks use and exports contain.

    layers     dense layers, dropout, gates, networks of them
    experts    networks side by side, the gates that mix them
    fields     pairs of fields, pooled bags, weights of fields
    attention  pools, a transformer's layer, masked softmax
    rows       rows taken and put at distinct places
    sequences  steps over time, the vector of an empty history
    shapes     reshapes, joins and sums; a request's single row counts for all rows
    logits     from the heads' logits to the served ones
    losses     the base of losses per task, gradients of the tasks' losses

They import torch and one another only: an export prints their source.
"""
