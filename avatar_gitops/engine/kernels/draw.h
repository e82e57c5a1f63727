/* One avatar from its neighbours: the same random words, the same operations in the same order as `generation.py`.
 *
 * Only additions, products, quotients and square roots, each rounded by itself (no fused operations, no library
 * logarithm), so that both give the same bits.
 */
#ifndef AVATAR_DRAW_H
#define AVATAR_DRAW_H

#include "tree.h"

#include <math.h>
#include <string.h>

/* Philox 4x64 with ten rounds (Salmon et al. 2011), as NumPy counts: the first block has counter 1. */
static inline void philox(const uint64_t key[2], uint64_t counter, uint64_t word[4]) {
    uint64_t a = counter + 1, b = 0, c = 0, d = 0, k0 = key[0], k1 = key[1];
    for (int32_t round = 0; round < 10; round++) {
        unsigned __int128 p = (unsigned __int128)a * 0xD2E7470EE14C6C93u;
        unsigned __int128 r = (unsigned __int128)c * 0xCA5A826395121157u;
        a = (uint64_t)(r >> 64) ^ b ^ k0;
        c = (uint64_t)(p >> 64) ^ d ^ k1;
        b = (uint64_t)r;
        d = (uint64_t)p;
        k0 += 0x9E3779B97F4A7C15u;
        k1 += 0xBB67AE8584CAA73Bu;
    }
    word[0] = a, word[1] = b, word[2] = c, word[3] = d;
}

static inline double uniform(uint32_t bits) { return (bits + 0.5) * 0x1p-32; }

/* -log u for 0 < u < 1: u = m 2^e with m about 1, log m = 2 atanh((m - 1) / (m + 1)). */
static inline double minus_log(double u) {
    uint64_t bits;
    memcpy(&bits, &u, sizeof bits);
    double e = (double)((int64_t)(bits >> 52) - 1022), m;
    bits = (bits & 0xFFFFFFFFFFFFFu) | 0x3FE0000000000000u;
    memcpy(&m, &bits, sizeof m);
    double small = m < 0x1.6a09e667f3bcdp-1 ? 1.0 : 0.0; /* below the root of one half */
    m += m * small;
    e -= small;
    double s = (m - 1.0) / (m + 1.0), z = s * s, sum = 1.0 / 23.0;
    sum = sum * z + 1.0 / 21.0;
    sum = sum * z + 1.0 / 19.0;
    sum = sum * z + 1.0 / 17.0;
    sum = sum * z + 1.0 / 15.0;
    sum = sum * z + 1.0 / 13.0;
    sum = sum * z + 1.0 / 11.0;
    sum = sum * z + 1.0 / 9.0;
    sum = sum * z + 1.0 / 7.0;
    sum = sum * z + 1.0 / 5.0;
    sum = sum * z + 1.0 / 3.0;
    sum = sum * z + 1.0;
    return -(e * 0x1.62e42fefa39efp-1 + 2.0 * s * sum);
}

static inline double polynomial(const double *c, double x) {
    double sum = c[7];
    for (int32_t i = 6; i >= 0; i--) sum = sum * x + c[i];
    return sum;
}

/* Quantile of the normal law (Wichura 1988, algorithm AS 241) for 2^-33 <= p <= 1 - 2^-33, beyond which its third piece
 * begins. */
static inline double normal_quantile(double p) {
    static const double A[8] = {3.3871328727963666080, 1.3314166789178437745e2, 1.9715909503065514427e3,
                                1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
                                3.3430575583588128105e4, 2.5090809287301226727e3};
    static const double B[8] = {1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
                                2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4,
                                5.2264952788528545610e3};
    static const double C[8] = {1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550,
                                3.64784832476320460504, 1.27045825245236838258, 2.41780725177450611770e-1,
                                2.27238449892691845833e-2, 7.74545014278341407640e-4};
    static const double D[8] = {1.0, 2.05319162663775882187, 1.67638483018380384940, 6.89767334985100004550e-1,
                                1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
                                1.05075007164441684324e-9};
    double q = p - 0.5;
    if (fabs(q) <= 0.425) {
        double r = 0.180625 - q * q;
        return q * polynomial(A, r) / polynomial(B, r);
    }
    double r = sqrt(minus_log(q < 0 ? p : 1.0 - p)) - 1.6;
    double tail = polynomial(C, r) / polynomial(D, r);
    return q < 0 ? -tail : tail;
}

static inline int32_t code_at(const Draw *d, const char *row, int32_t column) {
    const char *codes = row + (size_t)d->numbers * sizeof(double);
    if (d->code_bytes == 2) return ((const uint16_t *)codes)[column];
    return ((const int32_t *)codes)[column];
}

static inline void set_code(const Draw *d, char *row, int32_t column, int32_t code) {
    char *codes = row + (size_t)d->numbers * sizeof(double);
    if (d->code_bytes == 2)
        ((uint16_t *)codes)[column] = (uint16_t)code;
    else
        ((int32_t *)codes)[column] = code;
}

static inline const double *donor(const Draw *d, uint64_t tag) {
    return (const double *)(d->donors + (size_t)(uint32_t)tag * d->stride);
}

/* Weighted mean of the neighbours' numbers, as differences to the heaviest one. */
static inline void mean_numbers(const Draw *d, const double *weight, const uint64_t *tag, double *made) {
    int32_t heaviest = 0;
    for (int32_t j = 1; j < d->k; j++)
        if (weight[j] > weight[heaviest]) heaviest = j;
    const double *base = donor(d, tag[heaviest]);
    for (int32_t c = 0; c < d->numbers; c++) made[c] = 0;
    for (int32_t j = 0; j < d->k; j++) {
        const double *x = donor(d, tag[j]);
        for (int32_t c = 0; c < d->numbers; c++) made[c] += weight[j] * (x[c] - base[c]);
    }
    for (int32_t c = 0; c < d->numbers; c++) made[c] = base[c] + made[c];
}

/* Mean of the neighbours plus a normal combination of their deviations from it. */
static inline void normal_numbers(const Draw *d, const double *normal, const uint64_t *tag, double *made, double *mean) {
    const double *base = donor(d, tag[0]);
    for (int32_t c = 0; c < d->numbers; c++) mean[c] = 0, made[c] = 0;
    for (int32_t j = 0; j < d->k; j++) {
        const double *x = donor(d, tag[j]);
        for (int32_t c = 0; c < d->numbers; c++) mean[c] += x[c] - base[c];
    }
    for (int32_t c = 0; c < d->numbers; c++) mean[c] = base[c] + mean[c] / d->k;
    for (int32_t j = 0; j < d->k; j++) {
        const double *x = donor(d, tag[j]);
        for (int32_t c = 0; c < d->numbers; c++) made[c] += normal[j] * (x[c] - mean[c]);
    }
    for (int32_t c = 0; c < d->numbers; c++) made[c] = mean[c] + made[c];
}

/* `scratch` has room for 3 k + numbers doubles. */
static void draw_avatar(const Draw *d, int64_t avatar, const double *squared, const uint64_t *tag, double *scratch) {
    const int32_t k = d->k, blocks = (k + (d->codes + 1) / 2 + 3) / 4;
    const uint64_t start = (uint64_t)avatar * (uint64_t)blocks;
    double *weight = scratch, *summed = weight + k, *half = summed + k, *mean = half + k;
    double *made = (double *)(d->avatars + (size_t)avatar * d->stride);
    uint64_t word[4] = {0};
    double next_half = 0.5, total = 0;
    /* word j: a uniform for neighbour j, and its step in shuffling 1/2, 1/4, ... */
    for (int32_t j = 0; j < k; j++) {
        if (j % 4 == 0) philox(d->key, start + (uint64_t)(j / 4), word);
        weight[j] = uniform((uint32_t)(word[j % 4] >> 32));
        int32_t other = (int32_t)(((word[j % 4] & 0xFFFFFFFFu) * (uint64_t)(j + 1)) >> 32);
        half[j] = next_half;
        double swapped = half[other];
        half[other] = next_half;
        half[j] = swapped;
        next_half *= 0.5;
    }
    if (d->gaussian) {
        const double root = sqrt((double)(k - 1)), even = 1.0 / k;
        for (int32_t j = 0; j < k; j++) weight[j] = normal_quantile(weight[j]) / root;
        normal_numbers(d, weight, tag, made, mean);
        for (int32_t j = 0; j < k; j++) summed[j] = total += even;
    } else {
        for (int32_t j = 0; j < k; j++)
            weight[j] = minus_log(weight[j]) * half[j] / (sqrt(squared[j]) + 1e-8);
        for (int32_t j = 0; j < k; j++) total += weight[j];
        for (int32_t j = 0; j < k; j++) weight[j] = weight[j] / total;
        mean_numbers(d, weight, tag, made);
        total = 0;
        for (int32_t j = 0; j < k; j++) summed[j] = total += weight[j];
    }
    /* then half a word for each code */
    for (int32_t c = 0; c < d->codes; c++) {
        int32_t at = k + c / 2;
        if (c % 2 == 0 && at % 4 == 0) philox(d->key, start + (uint64_t)(at / 4), word);
        double u = uniform((uint32_t)(c % 2 ? word[at % 4] : word[at % 4] >> 32)) * total;
        int32_t chosen = 0;
        for (int32_t j = 0; j < k; j++) chosen += summed[j] <= u;
        if (chosen > k - 1) chosen = k - 1;
        set_code(d, (char *)made, c, code_at(d, (const char *)donor(d, tag[chosen]), c));
    }
}

#endif
