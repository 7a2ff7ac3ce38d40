"""SFTP only: a side on a server that offers files and nothing else."""
