"""Text in, lossless trees with exact spans out. Knows neither meaning nor includes."""
