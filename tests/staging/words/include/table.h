#ifndef TABLE_H
#define TABLE_H

#include <stddef.h>

/* A hash table from words to how often they were seen. */
struct table;

struct entry {
    const char *word;
    size_t count;
};

struct table *table_new(void);
void table_free(struct table *table);

/* Count a word once more; 0, or -1 if there is no memory. */
int table_add(struct table *table, const char *word, size_t length);

/* All entries, the most frequent first and those of one count by the alphabet; free() it. */
struct entry *table_sorted(const struct table *table, size_t *number);

#endif
