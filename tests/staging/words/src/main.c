#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "reader.h"
#include "table.h"

int main(int argc, char **argv)
{
    size_t most = 10, number;
    for (int option; (option = getopt(argc, argv, "n:")) != -1;) {
        if (option != 'n') {
            fprintf(stderr, "usage: %s [-n NUMBER] [FILE ...]\n", argv[0]);
            return 2;
        }
        most = strtoul(optarg, NULL, 10);
    }
    struct table *table = table_new();
    if (!table)
        return 1;
    for (int i = optind; i < argc; i++) {
        FILE *file = fopen(argv[i], "r");
        if (!file || read_words(file, table) < 0) {
            perror(argv[i]);
            return 1;
        }
        fclose(file);
    }
    struct entry *entries = table_sorted(table, &number);
    if (!entries)
        return 1;
    for (size_t i = 0; i < number && i < most; i++)
        printf("%zu %s\n", entries[i].count, entries[i].word);
    free(entries);
    table_free(table);
    return 0;
}
