"""Ways to read a log. Each is a pure encoding and a thin shell over `Log.follow`; none owns a run."""
