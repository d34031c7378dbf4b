"""Points in time that a chuksqlite file keeps: what of a snapshot has changed since is in tables of the past.

``schema`` has the tables, and the triggers that fill them; ``keeping`` what triggers cannot see; ``taking``,
``restoring`` and ``removing`` are what can be done with a snapshot, and ``store`` shows the files as they were.
"""
