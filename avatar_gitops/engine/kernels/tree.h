/* What the Python side and the kernels share: a tree of bounding boxes over points, and questions to it.
 *
 * Points stand in tree order, sixteen to a block. A leaf holds one or two blocks that follow each other, so that a leaf
 * is a range of blocks. An inner node keeps the boxes of its sixteen children lane by lane, and one vector instruction
 * looks at all of them. Arrays belong to the caller; no kernel keeps a pointer.
 *
 * Exactness: `boxes` and `lanes` are single precision and only rule points out, with a margin for their rounding.
 * Whatever they let through is compared in double precision, axis by axis in order and without fused operations, which
 * gives the same bits on every machine and in the portable path.
 */
#ifndef AVATAR_TREE_H
#define AVATAR_TREE_H

#include <stdint.h>

#define LANES 16      /* points of a block, children of a node */
#define MOST_AXES 128 /* more are left to the portable path */
#define ABI 2         /* raised with every change of a signature or structure */

typedef struct {
    int64_t points;
    int32_t axes, levels; /* levels of nodes above the leaves */
    int32_t leaves, pad;
    const int32_t *leaf_block; /* leaves + 1: first block of each leaf */
    const int64_t *level_node; /* levels: first node of each level in `boxes` */
    float *boxes;              /* nodes x 2 (low, high) x axes x LANES */
    float *lanes;              /* blocks x axes x LANES */
    double *exact;             /* points x axes */
    const int32_t *rank;       /* points: among equally near points the one of lower rank comes first */
} Tree;

typedef struct {
    const double *points;   /* queries x axes */
    const int32_t *order;   /* queries by leaf: the order in which they are answered */
    const int32_t *leaf;    /* queries: a leaf that is likely to hold near points */
    const int32_t *exclude; /* queries: the tree position that must not be found, or -1 */
} Queries;

/* Donors and avatars as rows: `numbers` doubles, then `codes` codes of two or four bytes, `stride` bytes in all. */
typedef struct {
    int32_t numbers, codes, code_bytes, stride;
    const char *donors; /* one row for each tree position */
    char *avatars;      /* one row for each query */
    uint64_t key[2];    /* of the Philox stream */
    int32_t k, gaussian; /* gaussian: draw from the local normal law */
} Draw;

#endif
