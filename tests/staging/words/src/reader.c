#include "reader.h"

#include <ctype.h>
#include <stdlib.h>

int read_words(FILE *file, struct table *table)
{
    char *line = NULL;
    size_t space = 0;
    int failed = 0;
    ssize_t length;
    while (!failed && (length = getline(&line, &space, file)) >= 0) {
        ssize_t start = 0;
        for (ssize_t i = 0; i <= length && !failed; i++) {
            if (i < length && isalpha((unsigned char)line[i])) {
                line[i] = (char)tolower((unsigned char)line[i]);
                continue;
            }
            if (i > start)
                failed = table_add(table, line + start, (size_t)(i - start));
            start = i + 1;
        }
    }
    free(line);
    return failed || ferror(file) ? -1 : 0;
}
