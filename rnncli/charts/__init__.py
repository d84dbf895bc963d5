"""Pictures of forecasts and scores: what is drawn as numbers, and drawn for a file, a page or a terminal."""
