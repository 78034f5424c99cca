"""The labelling loop: rows worth a person's time out to a sheet, what people said of them back in."""
