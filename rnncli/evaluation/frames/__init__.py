"""How well frames are forecast, by lead time, beside what is simpler."""
