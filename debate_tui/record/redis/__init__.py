"""Debates in Redis (or Valkey): written by one process, watched from any number of hosts.

A debate is a stream, whose entries ``SEQ-0`` are its events, and a hash beside it. Each entry has one
field, named after the epoch. This costs nothing: Redis stores a field name once for many entries.

An event counts as durable once Redis has acknowledged it; what that guarantees depends on the configuration
of Redis. With ``appendonly yes`` and ``appendfsync everysec``, events survive the death of Redis, and all
but the last second survive a power failure; with ``appendfsync always``, that second survives too. Without
an append-only file, or after a failover to a replica that lagged, events are missing: a running producer
restores them from its memory, and all viewers notice by the epoch. Redis must not evict keys
(``maxmemory-policy noeviction``), and must be a single server, or a primary with replicas at a single
address, not a Redis Cluster.
"""
