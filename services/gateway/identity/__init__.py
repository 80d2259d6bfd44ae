"""Who people are, which offices they hold, and for whom they may act."""
