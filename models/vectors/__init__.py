"""How the table of word vectors that ships in radar/text/data was made; needed by nobody who only runs radar."""
