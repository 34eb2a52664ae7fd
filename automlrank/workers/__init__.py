"""The worker processes of a search: started, supervised, restarted."""
