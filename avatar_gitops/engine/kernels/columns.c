/* Between columns and rows: packed donors, avatars back in columns, moments of coded columns, coordinates. */
#include "tree.h"

#include <string.h>

/* Donor rows of tree positions [first, last) from columns; `row` is the row at each position. */
void pack_donors(const Draw *d, const int32_t *row, const double *const *numbers, const int32_t *const *codes,
                 char *donors, int64_t first, int64_t last) {
    for (int64_t i = first; i < last; i++) {
        char *to = donors + (size_t)i * d->stride;
        double *number = (double *)to;
        char *code = to + (size_t)d->numbers * sizeof(double);
        for (int32_t c = 0; c < d->numbers; c++) number[c] = numbers[c][row[i]];
        for (int32_t c = 0; c < d->codes; c++) {
            if (d->code_bytes == 2)
                ((uint16_t *)code)[c] = (uint16_t)codes[c][row[i]];
            else
                ((int32_t *)code)[c] = codes[c][row[i]];
        }
    }
}

/* Avatars [first, last) into columns. */
void unpack_avatars(const Draw *d, double *const *numbers, int32_t *const *codes, int64_t first, int64_t last) {
    for (int64_t i = first; i < last; i++) {
        const char *from = d->avatars + (size_t)i * d->stride;
        const char *code = from + (size_t)d->numbers * sizeof(double);
        for (int32_t c = 0; c < d->numbers; c++) numbers[c][i] = ((const double *)from)[c];
        for (int32_t c = 0; c < d->codes; c++)
            codes[c][i] = d->code_bytes == 2 ? ((const uint16_t *)code)[c] : ((const int32_t *)code)[c];
    }
}

/* Over rows [first, last): how often each pair of modalities meets (`wide` x `wide`, below and on the diagonal of
 * columns) and the sums of the numbers by modality (`wide` x numbers), added row by row. `offset[v]` is the place of the
 * first modality of column v. */
void count_moments(int32_t columns, const int32_t *const *codes, const int32_t *offset, int32_t wide, int32_t numbers,
                   const double *const *number, int64_t first, int64_t last, int32_t *pairs, double *sums) {
    for (int64_t i = first; i < last; i++)
        for (int32_t a = 0; a < columns; a++) {
            const int32_t modality = offset[a] + codes[a][i];
            int32_t *pair = pairs + (size_t)modality * wide;
            double *sum = sums + (size_t)modality * numbers;
            for (int32_t b = 0; b <= a; b++) pair[offset[b] + codes[b][i]]++;
            for (int32_t c = 0; c < numbers; c++) sum[c] += number[c][i];
        }
}

/* Coordinates (rows x axes) of rows [first, last): numbers scaled onto their axes, then what each modality adds;
 * `last_code[v]` stands for modalities that were never seen. */
void project_rows(int32_t axes, int32_t numbers, const double *const *number, const double *mean, const double *scale,
                  const double *loading, int32_t columns, const int32_t *const *codes, const double *const *tables,
                  const int32_t *last_code, double *points, int64_t first, int64_t last) {
    for (int64_t i = first; i < last; i++) {
        double *point = points + i * axes;
        for (int32_t a = 0; a < axes; a++) point[a] = 0;
        for (int32_t c = 0; c < numbers; c++) {
            const double z = (number[c][i] - mean[c]) * scale[c], *load = loading + (size_t)c * axes;
            for (int32_t a = 0; a < axes; a++) point[a] += z * load[a];
        }
        for (int32_t v = 0; v < columns; v++) {
            const int32_t seen = codes[v][i], code = seen >= 0 && seen < last_code[v] ? seen : last_code[v];
            const double *add = tables[v] + (size_t)code * axes;
            for (int32_t a = 0; a < axes; a++) point[a] += add[a];
        }
    }
}
