"""Who may be a partner, and on what terms: organisations, their statuses, municipalities, the calendar."""
