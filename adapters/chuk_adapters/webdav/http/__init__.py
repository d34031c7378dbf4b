"""What HTTP says, apart from what any method does."""
