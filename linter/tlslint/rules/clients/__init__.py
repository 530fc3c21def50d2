"""Rules about client certificates: who is asked for one, who checks it, and against what."""
