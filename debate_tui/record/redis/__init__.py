"""Debates in Redis (or Valkey): held by one process, watched from any number of processes and hosts.

A debate is a stream, whose entries ``SEQ-0`` are its events, and a hash beside it. An entry has one field,
named after the epoch, which costs nothing: Redis stores a field name once for many entries.

What Redis has acknowledged counts as durable; how much that means is its configuration's to say. With
``appendonly yes`` and ``appendfsync everysec`` it survives the death of Redis, and all but the last second
survives a power cut; with ``appendfsync always`` that second too. Without an append-only file, or after a
failover to a replica that was behind, events are missing: a producer that is alive puts them back from its
memory, all others notice by the epoch. Redis must not evict keys (``maxmemory-policy noeviction``), and be
one server or a primary with replicas behind one address, not a Redis Cluster.
"""
