#include "table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct slot {
    char *word;
    size_t count;
};

struct table {
    struct slot *slots;
    size_t size, used;
};

static uint64_t hash(const char *word, size_t length)
{
    uint64_t value = 14695981039346656037u;
    for (size_t i = 0; i < length; i++)
        value = (value ^ (unsigned char)word[i]) * 1099511628211u;
    return value;
}

static struct slot *find(struct slot *slots, size_t size, const char *word, size_t length)
{
    size_t place = hash(word, length) % size;
    while (slots[place].word &&
           (strncmp(slots[place].word, word, length) != 0 || slots[place].word[length] != '\0'))
        place = (place + 1) % size;
    return &slots[place];
}

static int grow(struct table *table)
{
    size_t size = table->size ? table->size * 2 : 8;
    struct slot *slots = calloc(size, sizeof *slots);
    if (!slots)
        return -1;
    for (size_t i = 0; i < table->size; i++)
        if (table->slots[i].word)
            *find(slots, size, table->slots[i].word, strlen(table->slots[i].word)) = table->slots[i];
    free(table->slots);
    table->slots = slots;
    table->size = size;
    return 0;
}

struct table *table_new(void)
{
    return calloc(1, sizeof(struct table));
}

void table_free(struct table *table)
{
    for (size_t i = 0; i < table->size; i++)
        free(table->slots[i].word);
    free(table->slots);
    free(table);
}

int table_add(struct table *table, const char *word, size_t length)
{
    if (table->used * 2 >= table->size && grow(table) < 0)
        return -1;
    struct slot *slot = find(table->slots, table->size, word, length);
    if (!slot->word) {
        slot->word = strndup(word, length);
        if (!slot->word)
            return -1;
        table->used++;
    }
    slot->count++;
    return 0;
}

static int by_count(const void *one, const void *other)
{
    const struct entry *a = one, *b = other;
    if (a->count != b->count)
        return a->count < b->count ? 1 : -1;
    return strcmp(a->word, b->word);
}

struct entry *table_sorted(const struct table *table, size_t *number)
{
    struct entry *entries = calloc(table->used + 1, sizeof *entries);
    if (!entries)
        return NULL;
    *number = 0;
    for (size_t i = 0; i < table->size; i++)
        if (table->slots[i].word)
            entries[(*number)++] = (struct entry){table->slots[i].word, table->slots[i].count};
    qsort(entries, *number, sizeof *entries, by_count);
    return entries;
}
