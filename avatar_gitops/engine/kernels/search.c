/* Questions to the tree: nearest points, avatars drawn from them, and counts by distance.
 *
 * Compiled once for each instruction set; VARIANT is the suffix of its names. Queries of one leaf go through the tree
 * together, up to GROUP of them, because they want nearly the same nodes.
 */
#include "draw.h"
#include "tree.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

#define JOIN_(name, variant) name##_##variant
#define JOIN(name, variant) JOIN_(name, variant)
#define GROUP 16
#define FEW 6 /* vectors of a list that is kept by vector instructions */

/* ------------------------------------------------------------------------------------------- sixteen at a time */

/* Squared distances of a point to sixteen others; the mask says which do not exceed `reach`. */
static inline uint32_t near_points(const float *lane, const float *q, int32_t axes, float reach, float *squared) {
#if defined(__AVX512F__)
    __m512 even = _mm512_setzero_ps(), odd = even;
    int32_t a = 0;
    for (; a + 1 < axes; a += 2) {
        __m512 u = _mm512_sub_ps(_mm512_loadu_ps(lane + a * LANES), _mm512_set1_ps(q[a]));
        __m512 v = _mm512_sub_ps(_mm512_loadu_ps(lane + (a + 1) * LANES), _mm512_set1_ps(q[a + 1]));
        even = _mm512_fmadd_ps(u, u, even);
        odd = _mm512_fmadd_ps(v, v, odd);
    }
    if (a < axes) {
        __m512 u = _mm512_sub_ps(_mm512_loadu_ps(lane + a * LANES), _mm512_set1_ps(q[a]));
        even = _mm512_fmadd_ps(u, u, even);
    }
    even = _mm512_add_ps(even, odd);
    _mm512_storeu_ps(squared, even);
    return _mm512_cmp_ps_mask(even, _mm512_set1_ps(reach), _CMP_LE_OQ);
#elif defined(__AVX2__)
    __m256 left = _mm256_setzero_ps(), right = left, limit = _mm256_set1_ps(reach);
    for (int32_t a = 0; a < axes; a++) {
        __m256 at = _mm256_set1_ps(q[a]);
        __m256 u = _mm256_sub_ps(_mm256_loadu_ps(lane + a * LANES), at);
        __m256 v = _mm256_sub_ps(_mm256_loadu_ps(lane + a * LANES + 8), at);
        left = _mm256_fmadd_ps(u, u, left);
        right = _mm256_fmadd_ps(v, v, right);
    }
    _mm256_storeu_ps(squared, left);
    _mm256_storeu_ps(squared + 8, right);
    return (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(left, limit, _CMP_LE_OQ)) |
           (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(right, limit, _CMP_LE_OQ)) << 8;
#else
    uint32_t mask = 0;
    for (int32_t w = 0; w < LANES; w++) squared[w] = 0;
    for (int32_t a = 0; a < axes; a++)
        for (int32_t w = 0; w < LANES; w++) {
            float u = lane[a * LANES + w] - q[a];
            squared[w] += u * u;
        }
    for (int32_t w = 0; w < LANES; w++) mask |= (uint32_t)(squared[w] <= reach) << w;
    return mask;
#endif
}

/* The same for the nearest points of sixteen boxes. */
static inline uint32_t near_boxes(const float *box, const float *q, int32_t axes, float reach, float *squared) {
    const float *low = box, *high = box + axes * LANES;
#if defined(__AVX512F__)
    __m512 zero = _mm512_setzero_ps(), even = zero, odd = zero;
    int32_t a = 0;
    for (; a + 1 < axes; a += 2) {
        __m512 p = _mm512_set1_ps(q[a]), r = _mm512_set1_ps(q[a + 1]);
        __m512 u = _mm512_max_ps(_mm512_sub_ps(_mm512_loadu_ps(low + a * LANES), p),
                                 _mm512_sub_ps(p, _mm512_loadu_ps(high + a * LANES)));
        __m512 v = _mm512_max_ps(_mm512_sub_ps(_mm512_loadu_ps(low + (a + 1) * LANES), r),
                                 _mm512_sub_ps(r, _mm512_loadu_ps(high + (a + 1) * LANES)));
        u = _mm512_max_ps(u, zero);
        v = _mm512_max_ps(v, zero);
        even = _mm512_fmadd_ps(u, u, even);
        odd = _mm512_fmadd_ps(v, v, odd);
    }
    if (a < axes) {
        __m512 p = _mm512_set1_ps(q[a]);
        __m512 u = _mm512_max_ps(_mm512_sub_ps(_mm512_loadu_ps(low + a * LANES), p),
                                 _mm512_sub_ps(p, _mm512_loadu_ps(high + a * LANES)));
        u = _mm512_max_ps(u, zero);
        even = _mm512_fmadd_ps(u, u, even);
    }
    even = _mm512_add_ps(even, odd);
    _mm512_storeu_ps(squared, even);
    return _mm512_cmp_ps_mask(even, _mm512_set1_ps(reach), _CMP_LE_OQ);
#elif defined(__AVX2__)
    __m256 zero = _mm256_setzero_ps(), limit = _mm256_set1_ps(reach);
    uint32_t mask = 0;
    for (int32_t half = 0; half < LANES; half += 8) {
        __m256 sum = zero;
        for (int32_t a = 0; a < axes; a++) {
            __m256 p = _mm256_set1_ps(q[a]);
            __m256 u = _mm256_max_ps(_mm256_sub_ps(_mm256_loadu_ps(low + a * LANES + half), p),
                                     _mm256_sub_ps(p, _mm256_loadu_ps(high + a * LANES + half)));
            u = _mm256_max_ps(u, zero);
            sum = _mm256_fmadd_ps(u, u, sum);
        }
        _mm256_storeu_ps(squared + half, sum);
        mask |= (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(sum, limit, _CMP_LE_OQ)) << half;
    }
    return mask;
#else
    uint32_t mask = 0;
    for (int32_t w = 0; w < LANES; w++) squared[w] = 0;
    for (int32_t a = 0; a < axes; a++)
        for (int32_t w = 0; w < LANES; w++) {
            float under = low[a * LANES + w] - q[a], over = q[a] - high[a * LANES + w];
            float u = under > over ? under : over;
            u = u > 0 ? u : 0;
            squared[w] += u * u;
        }
    for (int32_t w = 0; w < LANES; w++) mask |= (uint32_t)(squared[w] <= reach) << w;
    return mask;
#endif
}

static inline double between(const double *x, const double *y, int32_t axes) {
    double sum = 0;
    for (int32_t a = 0; a < axes; a++) sum += (x[a] - y[a]) * (x[a] - y[a]);
    return sum;
}

/* Rounding moves a coordinate x by at most 2^-24 |x|, and for a point at distance s from a query q, |x| <= |q| + s on
 * each axis. So s in double precision and its single precision t differ by at most e = 2^-23 |q| besides a few relative
 * roundings; and (s + e)^2 <= s^2 (1 + f) + e^2 (1 + 1 / f). The bound is that of each query: a few far rows must not
 * blur all others. */
typedef struct {
    double factor, offset;
} Margin;

static Margin margin(const double *q, int32_t axes) {
    const double f = 0x1p-12;
    double square = 0;
    for (int32_t a = 0; a < axes; a++) square += q[a] * q[a];
    return (Margin){1 + 2 * f + (axes + 8) * 0x1p-22, square * 0x1p-44 * (1 + 1 / f)};
}

static inline float above(double x) { return x >= FLT_MAX ? FLT_MAX : (float)(x * (1 + 0x1p-22)); }

/* -------------------------------------------------------------------------------------------- the nearest points */

/* The k nearest so far, by distance and then by rank; `tag` is rank * 2^32 + position. */
typedef struct {
    double *squared;
    uint64_t *tag;
    double worst;
    float reach;
    int64_t exclude;
    Margin margin;
} Found;

typedef struct {
    const Tree *tree;
    int32_t k, room, queries;
    int64_t skip; /* the leaf that was looked at first */
    const double *exact[GROUP];
    float single[GROUP][MOST_AXES];
    Found found[GROUP];
} Party;

/* Put a point into the list, which drops its last one. */
static inline void insert(Found *f, int32_t k, double squared, uint64_t tag) {
#if defined(__AVX512F__)
    if (k <= 8 * FEW) { /* lists are padded to whole vectors: shift by one lane from the place on */
        const __m512d value = _mm512_set1_pd(squared);
        const __m512i label = _mm512_set1_epi64((long long)tag);
        __m512d below_value = value;
        __m512i below_label = label;
        uint32_t carry = 0; /* whether the block before moved its last lane up */
        for (int32_t b = 0; b * 8 < k; b++) {
            __m512d v = _mm512_loadu_pd(f->squared + 8 * b);
            __m512i t = _mm512_loadu_si512(f->tag + 8 * b);
            uint32_t later = _mm512_cmp_pd_mask(v, value, _CMP_GT_OQ) |
                             (_mm512_cmp_pd_mask(v, value, _CMP_EQ_OQ) & _mm512_cmpgt_epu64_mask(t, label));
            __m512d moved = _mm512_castsi512_pd(
                _mm512_alignr_epi64(_mm512_castpd_si512(v), _mm512_castpd_si512(below_value), 7));
            __m512i moved_label = _mm512_alignr_epi64(t, below_label, 7);
            /* lanes after the place take their left neighbour, the place itself the new point */
            uint32_t after = ((later << 1) | carry) & later;
            __m512d new_v = _mm512_mask_mov_pd(_mm512_mask_mov_pd(v, (__mmask8)later, value), (__mmask8)after, moved);
            __m512i new_t =
                _mm512_mask_mov_epi64(_mm512_mask_mov_epi64(t, (__mmask8)later, label), (__mmask8)after, moved_label);
            _mm512_storeu_pd(f->squared + 8 * b, new_v);
            _mm512_storeu_si512(f->tag + 8 * b, new_t);
            below_value = v;
            below_label = t;
            carry = later >> 7;
        }
        return;
    }
#endif
    int32_t j = k - 1;
    for (; j > 0; j--) {
        if (f->squared[j - 1] < squared || (f->squared[j - 1] == squared && f->tag[j - 1] < tag)) break;
        f->squared[j] = f->squared[j - 1];
        f->tag[j] = f->tag[j - 1];
    }
    f->squared[j] = squared;
    f->tag[j] = tag;
}

static inline void take(Found *f, int32_t k, double squared, uint64_t tag) {
    if (squared > f->worst || (squared == f->worst && tag > f->tag[k - 1])) return;
    insert(f, k, squared, tag);
    if (f->squared[k - 1] < f->worst) {
        f->worst = f->squared[k - 1];
        f->reach = above(f->worst * f->margin.factor + f->margin.offset);
    }
}

static void scan(Party *p, int64_t leaf, int32_t who) {
    const Tree *t = p->tree;
    Found *f = &p->found[who];
    float squared[LANES];
    for (int64_t block = t->leaf_block[leaf]; block < t->leaf_block[leaf + 1]; block++) {
        uint32_t mask = near_points(t->lanes + block * t->axes * LANES, p->single[who], t->axes, f->reach, squared);
        for (; mask; mask &= mask - 1) {
            int32_t w = __builtin_ctz(mask);
            int64_t position = block * LANES + w;
            if (squared[w] > f->reach || position >= t->points || position == f->exclude) continue;
            take(f, p->k, between(t->exact + position * t->axes, p->exact[who], t->axes),
                 (uint64_t)t->rank[position] << 32 | (uint64_t)position);
        }
    }
}

static void walk(Party *p, int32_t level, int64_t node, uint32_t active) {
    const Tree *t = p->tree;
    const float *box = t->boxes + (t->level_node[level] + node) * 2 * t->axes * LANES;
    float squared[GROUP][LANES], nearest[LANES];
    uint32_t wanted = 0;
    for (int32_t w = 0; w < LANES; w++) nearest[w] = FLT_MAX;
    for (uint32_t rest = active; rest; rest &= rest - 1) {
        int32_t who = __builtin_ctz(rest);
        uint32_t mask = near_boxes(box, p->single[who], t->axes, p->found[who].reach, squared[who]);
        wanted |= mask;
        for (int32_t w = 0; w < LANES; w++) nearest[w] = squared[who][w] < nearest[w] ? squared[who][w] : nearest[w];
    }
    while (wanted) {
        int32_t child = __builtin_ctz(wanted);
        for (uint32_t rest = wanted & (wanted - 1); rest; rest &= rest - 1) {
            int32_t other = __builtin_ctz(rest);
            if (nearest[other] < nearest[child]) child = other;
        }
        wanted &= ~(1u << child);
        int64_t below = node * LANES + child;
        if (level + 1 == t->levels && below == p->skip) continue;
        uint32_t still = 0;
        for (uint32_t rest = active; rest; rest &= rest - 1) {
            int32_t who = __builtin_ctz(rest);
            if (squared[who][child] <= p->found[who].reach) still |= 1u << who;
        }
        if (!still) continue;
        if (level + 1 < t->levels) {
            walk(p, level + 1, below, still);
        } else {
            for (; still; still &= still - 1) scan(p, below, __builtin_ctz(still));
        }
    }
}

/* How many of the ordered queries from `at` on share a leaf and fit a party. */
static int32_t together(const Queries *q, int64_t at, int64_t last) {
    int32_t count = 1;
    while (count < GROUP && at + count < last && q->leaf[q->order[at + count]] == q->leaf[q->order[at]]) count++;
    return count;
}

static void gather_party(Party *p, const Queries *q, int64_t at, int32_t count) {
    const int32_t axes = p->tree->axes;
    p->queries = count;
    p->skip = q->leaf[q->order[at]];
    for (int32_t who = 0; who < count; who++) {
        int64_t query = q->order[at + who];
        Found *f = &p->found[who];
        p->exact[who] = q->points + query * axes;
        for (int32_t a = 0; a < axes; a++) p->single[who][a] = (float)p->exact[who][a];
        for (int32_t j = 0; j < p->room; j++) f->squared[j] = INFINITY, f->tag[j] = UINT64_MAX;
        f->worst = INFINITY;
        f->reach = FLT_MAX;
        f->margin = margin(p->exact[who], axes);
        f->exclude = q->exclude[query];
        scan(p, p->skip, who);
    }
    walk(p, 0, 0, (uint32_t)((1ull << count) - 1));
}

static Party *new_party(const Tree *t, int32_t k) {
    const size_t room = ((size_t)k + 7) / 8 * 8;
    Party *p = malloc(sizeof *p + GROUP * room * (sizeof(double) + sizeof(uint64_t)));
    if (!p) return NULL;
    p->tree = t;
    p->k = k;
    p->room = (int32_t)room;
    double *squared = (double *)(p + 1);
    uint64_t *tag = (uint64_t *)(squared + GROUP * room);
    for (int32_t who = 0; who < GROUP; who++) {
        p->found[who].squared = squared + who * room;
        p->found[who].tag = tag + who * room;
    }
    return p;
}

/* Squared distances and tree positions (queries x k) of the k nearest points, nearest first, for queries
 * order[first..last). There are at least k points besides the excluded one. Returns 0, or 1 without memory. */
int32_t JOIN(tree_nearest, VARIANT)(const Tree *t, const Queries *q, int32_t k, int64_t first, int64_t last,
                                    double *squared, int32_t *position) {
    Party *p = new_party(t, k);
    if (!p) return 1;
    for (int64_t at = first; at < last; at += p->queries) {
        gather_party(p, q, at, together(q, at, last));
        for (int32_t who = 0; who < p->queries; who++) {
            int64_t query = q->order[at + who];
            memcpy(squared + query * k, p->found[who].squared, k * sizeof(double));
            for (int32_t j = 0; j < k; j++) position[query * k + j] = (int32_t)(uint32_t)p->found[who].tag[j];
        }
    }
    free(p);
    return 0;
}

/* The same search, and at once the avatar of each query. */
int32_t JOIN(tree_draw, VARIANT)(const Tree *t, const Queries *q, const Draw *d, int64_t first, int64_t last) {
    Party *p = new_party(t, d->k);
    double *scratch = malloc(((size_t)3 * d->k + d->numbers) * sizeof(double));
    if (!p || !scratch) {
        free(p);
        free(scratch);
        return 1;
    }
    for (int64_t at = first; at < last; at += p->queries) {
        gather_party(p, q, at, together(q, at, last));
        for (int32_t who = 0; who < p->queries; who++)
            draw_avatar(d, q->order[at + who], p->found[who].squared, p->found[who].tag, scratch);
    }
    free(p);
    free(scratch);
    return 0;
}

/* A leaf near each query, down the tree by the nearest box. */
void JOIN(tree_locate, VARIANT)(const Tree *t, const double *points, int64_t first, int64_t last, int32_t *leaf) {
    float single[MOST_AXES], squared[LANES];
    for (int64_t i = first; i < last; i++) {
        int64_t node = 0;
        for (int32_t a = 0; a < t->axes; a++) single[a] = (float)points[i * t->axes + a];
        for (int32_t level = 0; level < t->levels; level++) {
            const float *box = t->boxes + (t->level_node[level] + node) * 2 * t->axes * LANES;
            near_boxes(box, single, t->axes, FLT_MAX, squared);
            int32_t best = 0;
            for (int32_t w = 1; w < LANES; w++)
                if (squared[w] < squared[best]) best = w;
            node = node * LANES + best;
        }
        leaf[i] = (int32_t)node;
    }
}

/* --------------------------------------------------------------------------------------------- counts by distance */

/* Rows whose distance is below `low`, rows from `low` to `high`, and the first of the latter. */
typedef struct {
    const Tree *tree;
    const int64_t *before, *first; /* rows before each tree position (points + 1), first row of each */
    const double *exact;
    const float *single;
    double low, high;          /* squared; low is negative when nothing can be nearer */
    float inside, outside;     /* single precision distances that leave no doubt */
    int64_t closer, within, earliest;
} Count;

static void count_leaf(Count *c, int64_t leaf) {
    const Tree *t = c->tree;
    float squared[LANES];
    for (int64_t block = t->leaf_block[leaf]; block < t->leaf_block[leaf + 1]; block++) {
        uint32_t mask = near_points(t->lanes + block * t->axes * LANES, c->single, t->axes, c->outside, squared);
        for (; mask; mask &= mask - 1) {
            int32_t w = __builtin_ctz(mask);
            int64_t position = block * LANES + w;
            if (position >= t->points) continue;
            int64_t rows = c->before[position + 1] - c->before[position];
            if (squared[w] < c->inside) {
                c->closer += rows;
                continue;
            }
            double distance = between(t->exact + position * t->axes, c->exact, t->axes);
            if (distance < c->low) {
                c->closer += rows;
            } else if (distance <= c->high) {
                c->within += rows;
                if (c->first[position] < c->earliest) c->earliest = c->first[position];
            }
        }
    }
}

/* Tree position of the first point below child `child` (a node of `level` + 1 or a leaf). */
static inline int64_t first_below(const Tree *t, int32_t level, int64_t child) {
    int64_t leaf = child << (4 * (t->levels - 1 - level));
    int64_t position = (int64_t)t->leaf_block[leaf < t->leaves ? leaf : t->leaves] * LANES;
    return position < t->points ? position : t->points;
}

static void count_node(Count *c, int32_t level, int64_t node) {
    const Tree *t = c->tree;
    const float *low = t->boxes + (t->level_node[level] + node) * 2 * t->axes * LANES, *high = low + t->axes * LANES;
    float squared[LANES], farthest[LANES];
    uint32_t mask = near_boxes(low, c->single, t->axes, c->outside, squared);
    if (!mask) return;
    for (int32_t w = 0; w < LANES; w++) farthest[w] = 0;
    for (int32_t a = 0; a < t->axes; a++)
        for (int32_t w = 0; w < LANES; w++) {
            float under = c->single[a] - low[a * LANES + w], over = high[a * LANES + w] - c->single[a];
            float u = under > over ? under : over;
            farthest[w] += u * u;
        }
    for (; mask; mask &= mask - 1) {
        int32_t w = __builtin_ctz(mask);
        int64_t below = node * LANES + w;
        if (farthest[w] < c->inside) {
            c->closer += c->before[first_below(t, level, below + 1)] - c->before[first_below(t, level, below)];
        } else if (level + 1 < t->levels) {
            count_node(c, level + 1, below);
        } else if (below < t->leaves) {
            count_leaf(c, below);
        }
    }
}

/* For queries order[first..last): rows of the tree nearer than `low`, rows from `low` to `high` (distances), and the
 * lowest `row` among the latter. */
void JOIN(tree_count, VARIANT)(const Tree *t, const Queries *q, const int64_t *before, const int64_t *row,
                               const double *low, const double *high, int64_t first, int64_t last, int64_t *closer,
                               int64_t *within, int64_t *earliest) {
    float single[MOST_AXES];
    for (int64_t at = first; at < last; at++) {
        int64_t i = q->order[at];
        Count c = {.tree = t, .before = before, .first = row, .exact = q->points + i * t->axes, .single = single,
                   .low = low[i] > 0 ? low[i] * low[i] : -1, .high = high[i] * high[i], .earliest = INT64_MAX};
        const Margin m = margin(c.exact, t->axes);
        double inside = (c.low - m.offset) / m.factor;
        for (int32_t a = 0; a < t->axes; a++) single[a] = (float)c.exact[a];
        c.inside = inside > 0 ? (float)(inside * (1 - 0x1p-22)) : -1;
        c.outside = above(c.high * m.factor + m.offset);
        count_node(&c, 0, 0);
        closer[i] = c.closer;
        within[i] = c.within;
        earliest[i] = c.earliest;
    }
}
