/* The shape of the tree: points are halved at a multiple of a block along the axis on which they spread most.
 *
 * The shape decides how fast a search is, never what it finds.
 */
#include "tree.h"

#include <float.h>
#include <math.h>
#include <string.h>

int32_t kernels_abi(void) { return ABI; }

/* 0: any machine, 1: AVX2 with fused operations, 2: AVX-512. */
int32_t kernels_variant(void) {
#if defined(__x86_64__) && !defined(PLAIN_ONLY)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return 2;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 1;
#endif
    return 0;
}

/* Partition `row` so that the `at` smallest values of `value` come first. */
static void partition(int32_t *row, int64_t count, int64_t at, const float *value) {
    int64_t low = 0, high = count - 1;
    while (low < high) {
        float a = value[row[low]], b = value[row[low + (high - low) / 2]], c = value[row[high]];
        float pivot = fmaxf(fminf(a, b), fminf(fmaxf(a, b), c));
        int64_t i = low, j = high;
        do {
            while (value[row[i]] < pivot) i++;
            while (value[row[j]] > pivot) j--;
            if (i <= j) {
                int32_t other = row[i];
                row[i++] = row[j];
                row[j--] = other;
            }
        } while (i <= j);
        if (at <= j)
            high = j;
        else if (at >= i)
            low = i;
        else
            return;
    }
}

static int32_t widest(const int32_t *row, int64_t count, const float *columns, int64_t points, int32_t axes) {
    int64_t step = count > 256 ? count / 256 : 1;
    int32_t best = 0;
    double spread = -1;
    for (int32_t a = 0; a < axes; a++) {
        const float *column = columns + a * points;
        double sum = 0, squares = 0, seen = 0, origin = column[row[0]];
        for (int64_t i = 0; i < count; i += step, seen++) {
            double v = column[row[i]] - origin;
            sum += v;
            squares += v * v;
        }
        double variance = squares / seen - (sum / seen) * (sum / seen);
        if (variance > spread) spread = variance, best = a;
    }
    return best;
}

/* Halve blocks [first, last) `depth` times; `row` numbers the points of `columns` (axes x points) in tree order. */
void tree_split(int32_t *row, const float *columns, int64_t points, int32_t axes, int64_t first, int64_t last,
                int32_t depth) {
    while (depth-- > 0 && last - first > 1) {
        int64_t middle = first + (last - first) / 2, start = first * LANES;
        int64_t end = last * LANES < points ? last * LANES : points;
        int32_t axis = widest(row + start, end - start, columns, points, axes);
        partition(row + start, end - start, (middle - first) * LANES, columns + axis * points);
        tree_split(row, columns, points, axes, first, middle, depth);
        first = middle;
    }
}

/* Fill exact points, lanes and the boxes of leaves [first, last); `source` is points x axes in the caller's order. */
void tree_fill(const Tree *t, const int32_t *row, const double *source, int64_t first, int64_t last) {
    const int32_t axes = t->axes;
    float *bottom = t->boxes + t->level_node[t->levels - 1] * 2 * axes * LANES;
    for (int64_t leaf = first; leaf < last; leaf++) {
        float *low = bottom + (leaf / LANES) * 2 * axes * LANES + leaf % LANES, *high = low + axes * LANES;
        for (int32_t a = 0; a < axes; a++) low[a * LANES] = FLT_MAX, high[a * LANES] = -FLT_MAX;
        for (int64_t block = t->leaf_block[leaf]; block < t->leaf_block[leaf + 1]; block++) {
            float *lane = t->lanes + block * axes * LANES;
            for (int32_t w = 0; w < LANES; w++) {
                int64_t position = block * LANES + w;
                if (position >= t->points) {
                    for (int32_t a = 0; a < axes; a++) lane[a * LANES + w] = 1e18f;
                    continue;
                }
                const double *from = source + (int64_t)row[position] * axes;
                memcpy(t->exact + position * axes, from, axes * sizeof(double));
                for (int32_t a = 0; a < axes; a++) {
                    float v = (float)from[a];
                    lane[a * LANES + w] = v;
                    if (v < low[a * LANES]) low[a * LANES] = v;
                    if (v > high[a * LANES]) high[a * LANES] = v;
                }
            }
        }
    }
}

/* Positions 0..count-1 sorted by `group` (values 0..groups-1), equal groups in order; `start` has groups + 1 cells. */
void sort_by_group(int64_t count, const int32_t *group, int64_t groups, int64_t *start, int32_t *order) {
    memset(start, 0, (groups + 1) * sizeof(int64_t));
    for (int64_t i = 0; i < count; i++) start[group[i] + 1]++;
    for (int64_t g = 0; g < groups; g++) start[g + 1] += start[g];
    for (int64_t i = 0; i < count; i++) order[start[group[i]]++] = (int32_t)i;
}

/* Number equal points in order of appearance: `group` of each row, the first row and the size of each group.
 *
 * `table` has `slots` cells (a power of two, at least twice `count`) of -1. Returns the number of groups.
 */
int64_t find_equal(int64_t count, int32_t axes, const double *points, int32_t *table, int64_t slots, int64_t *group,
                   int64_t *first, int64_t *size) {
    int64_t groups = 0;
    for (int64_t i = 0; i < count; i++) {
        const double *point = points + i * axes;
        uint64_t hash = 0x243F6A8885A308D3u;
        for (int32_t a = 0; a < axes; a++) {
            double v = point[a] + 0.0; /* minus zero equals zero */
            uint64_t bits;
            memcpy(&bits, &v, sizeof bits);
            hash = (hash ^ bits) * 0x9E3779B97F4A7C15u;
            hash ^= hash >> 29;
        }
        int64_t slot = (int64_t)((hash * 0xD6E8FEB86659FD93u) >> 20) & (slots - 1);
        for (;; slot = (slot + 1) & (slots - 1)) {
            int32_t known = table[slot];
            if (known < 0) {
                table[slot] = (int32_t)groups;
                first[groups] = i;
                size[groups] = 0;
                known = (int32_t)groups++;
            } else {
                const double *other = points + first[known] * axes;
                int32_t a = 0;
                while (a < axes && point[a] == other[a]) a++;
                if (a < axes) continue;
            }
            group[i] = known;
            size[known]++;
            break;
        }
    }
    return groups;
}
