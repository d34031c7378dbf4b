#ifndef READER_H
#define READER_H

#include <stdio.h>

#include "table.h"

/* Count the words of a file, in lower case; 0, or -1 with errno. */
int read_words(FILE *file, struct table *table);

#endif
