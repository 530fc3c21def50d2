/* Makes the RSA keys that Debian's OpenSSL could make from September 2006 to May 2008 (CVE-2008-0166).
 *
 *     debian_keys [-p] BITS CLASS FIRST LAST
 *
 * BITS is 1024, 2048 or 4096; CLASS an architecture (le64, le32, be32) and what became of ~/.rnd (rnd: it was read;
 * noreadrnd: it was there and could not be read, or OpenSSL was older than 0.9.8g and it was absent; nornd: it was
 * absent), as in le64-rnd; FIRST and LAST are process ids. One line comes out for each key: the process id and the SHA-1
 * of the line that `openssl rsa -modulus` prints; with -p also both primes in hexadecimal digits.
 *
 * What is followed exactly is the sequence of random bytes: how the pool is seeded (with nothing but the process id, and
 * with lengths), and how many bytes each step of the key generation takes from it. A candidate for a prime takes the
 * bytes of the candidate, and those of one base of the Miller-Rabin test where it is composite, of all bases where it is
 * prime. So whether it is prime can be found out in any other way: here by Fermat's test to the base 2, for four
 * candidates of four keys side by side.
 */

#define OPENSSL_SUPPRESS_DEPRECATED
#include <gmp.h>
#include <immintrin.h>
#include <inttypes.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POOL 1023
#define DIGEST SHA_DIGEST_LENGTH
#define LANES 4
#define PRIMES 2048 /* the table of OpenSSL 0.9.8, 2 included */
#define WINDOW 512
#define MAX_BYTES 256
#define MAX_WORDS (MAX_BYTES / 8)

/* ---- the machine on which the key is made ---- */

typedef struct {
    const char *name;
    int long_size; /* of long and time_t */
    bool big_endian;
    int stat_size; /* of struct stat */
} Architecture;

static const Architecture architectures[] = {
    {"le64", 8, false, 144},
    {"le32", 4, false, 88},
    {"be32", 4, true, 88},
};

typedef enum { RND, NOREADRND, NORND } SeedFile;
static const char *const seed_files[] = {"rnd", "noreadrnd", "nornd"};

/* ---- the random pool ---- */

typedef struct {
    const Architecture *machine;
    uint32_t pid;
    bool polled, stirred;
    int index, filled;
    uint64_t blocks_added, requests; /* the two counters that are hashed along, in reverse order */
    uint8_t digest[DIGEST];
    uint8_t pool[POOL + DIGEST];
} Pool;

static uint8_t *put_integer(uint8_t *to, uint64_t value, int size, bool big_endian)
{
    for (int i = 0; i < size; i++)
        to[big_endian ? size - 1 - i : i] = (uint8_t)(value >> 8 * i);
    return to + size;
}

/* SHA1() of OpenSSL 3 looks the algorithm up each time, which takes longer than the hash. */
static void hash(const uint8_t *from, const uint8_t *until, uint8_t *to)
{
    SHA_CTX context;

    SHA1_Init(&context);
    SHA1_Update(&context, from, (size_t)(until - from));
    SHA1_Final(to, &context);
}

static uint8_t *put_pool(uint8_t *to, const Pool *pool, int from, int count, int size)
{
    for (int i = 0; i < count; i++)
        *to++ = pool->pool[(from + i) % size];
    return to;
}

static uint8_t *put_counters(uint8_t *to, const Pool *pool, uint64_t requests, uint64_t blocks)
{
    to = put_integer(to, requests, pool->machine->long_size, pool->machine->big_endian);
    return put_integer(to, blocks, pool->machine->long_size, pool->machine->big_endian);
}

/* Seeding, without what Debian took out: the seed itself. Only its length is left. */
static void pool_add(Pool *pool, int length)
{
    int at = pool->index;
    uint64_t blocks = pool->blocks_added;
    uint8_t local[DIGEST], message[64];

    pool->index += length;
    if (pool->index >= POOL) {
        pool->index %= POOL;
        pool->filled = POOL;
    } else if (pool->filled < pool->index)
        pool->filled = pool->index;
    pool->blocks_added += (uint64_t)(length + DIGEST - 1) / DIGEST;
    memcpy(local, pool->digest, DIGEST);
    for (int left = length; left > 0; left -= DIGEST) {
        int count = left < DIGEST ? left : DIGEST;
        memcpy(message, local, DIGEST);
        uint8_t *end = put_pool(message + DIGEST, pool, at, count, POOL);
        end = put_counters(end, pool, pool->requests, blocks++);
        hash(message, end, local);
        for (int i = 0; i < count; i++) {
            /* pool_bytes may leave the index behind the last byte: there is room, and then comes the first one */
            pool->pool[at] ^= local[i];
            at = at + 1 >= POOL ? 0 : at + 1;
        }
    }
    for (int i = 0; i < DIGEST; i++)
        pool->digest[i] ^= local[i];
}

/* What OpenSSL asks the system for before the first random bytes: urandom, and the ids of process and user, the time. */
static void pool_poll(Pool *pool)
{
    if (pool->polled)
        return;
    pool->polled = true;
    pool_add(pool, 32);
    for (int i = 0; i < 3; i++)
        pool_add(pool, pool->machine->long_size);
}

static void pool_bytes(Pool *pool, uint8_t *to, int length)
{
    uint8_t local[DIGEST], message[64];

    pool_poll(pool);
    if (!pool->stirred) {
        for (int left = POOL; left > 0; left -= DIGEST)
            pool_add(pool, DIGEST);
        pool->stirred = true;
    }
    int at = pool->index, size = pool->filled;
    uint64_t requests = pool->requests++;
    memcpy(local, pool->digest, DIGEST);
    pool->index += (length + DIGEST / 2 - 1) / (DIGEST / 2) * (DIGEST / 2);
    if (pool->index > size)
        pool->index %= size;
    for (bool first = true; length > 0; first = false) {
        int count = length < DIGEST / 2 ? length : DIGEST / 2;
        uint8_t *end = message;
        if (first && pool->pid != 0)
            end = put_integer(end, pool->pid, 4, pool->machine->big_endian);
        memcpy(end, local, DIGEST);
        end = put_counters(end + DIGEST, pool, requests, pool->blocks_added);
        end = put_pool(end, pool, at, DIGEST / 2, size);
        hash(message, end, local);
        for (int i = 0; i < DIGEST / 2; i++) {
            pool->pool[at] ^= local[i];
            at = at + 1 >= size ? 0 : at + 1;
        }
        memcpy(to, local + DIGEST / 2, (size_t)count);
        to += count;
        length -= count;
    }
    uint8_t *end = put_counters(message, pool, requests, pool->blocks_added);
    memcpy(end, local, DIGEST);
    memcpy(end + DIGEST, pool->digest, DIGEST);
    hash(message, end + 2 * DIGEST, pool->digest);
}

static void pool_start(Pool *pool, const Architecture *machine, SeedFile file, uint32_t pid)
{
    memset(pool, 0, sizeof *pool);
    pool->machine = machine;
    pool->pid = pid;
    if (file != NORND)
        pool_add(pool, machine->stat_size);
    if (file == RND)
        pool_add(pool, 1024);
    else
        pool_poll(pool); /* it is asked whether there is entropy enough */
}

/* ---- large numbers: little-endian words ---- */

static void random_number(Pool *pool, int bytes, uint64_t *words)
{
    uint8_t buffer[MAX_BYTES];

    pool_add(pool, pool->machine->long_size); /* the time */
    pool_bytes(pool, buffer, bytes);
    for (int i = 0; i < bytes / 8; i++) {
        uint64_t word;
        memcpy(&word, buffer + bytes - 8 - 8 * i, 8);
        words[i] = __builtin_bswap64(word);
    }
}

/* ---- the sieve: candidates c with no small prime that divides c or c - 1 ---- */

#define DIGIT_BITS 12
#define MAX_PAIRS 88
#define GROUPS (PRIMES / 8)
/* Partial sums of this many products of two digits stay below 2^31: 2^11 for a digit, 2^13.2 for a remainder. */
#define PAIRS_AT_ONCE 48

static int32_t small_primes[PRIMES]; /* 3, 5, …, and one prime twice, to make up eight at a time */
static int16_t powers[GROUPS][MAX_PAIRS][16] __attribute__((aligned(32)));

static void make_tables(void)
{
    int count = 0;
    for (int number = 3; count < PRIMES - 1; number += 2) {
        bool prime = true;
        for (int i = 0; i < count && small_primes[i] * small_primes[i] <= number && prime; i++)
            prime = number % small_primes[i] != 0;
        if (prime)
            small_primes[count++] = number;
    }
    small_primes[count] = small_primes[count - 1];
    for (int i = 0; i < PRIMES; i++) {
        int32_t prime = small_primes[i], power = 1 % prime;
        for (int digit = 0; digit < 2 * MAX_PAIRS; digit++) {
            int32_t centred = power > prime / 2 ? power - prime : power;
            powers[i / 8][digit / 2][i % 8 * 2 + digit % 2] = (int16_t)centred;
            power = (int32_t)(((int64_t)power << DIGIT_BITS) % prime);
        }
    }
}

/* The digits of a number in pairs, each between -2^11 and 2^11, and how many pairs there are. */
static int digit_pairs(const uint64_t *words, int count, int32_t *pairs)
{
    int digits = (count * 64 + DIGIT_BITS - 1) / DIGIT_BITS, carry = 0;
    int16_t digit[2 * MAX_PAIRS] = {0};

    for (int i = 0; i < digits; i++) {
        int bit = i * DIGIT_BITS, word = bit / 64, shift = bit % 64;
        uint64_t value = words[word] >> shift;
        if (shift > 64 - DIGIT_BITS && word + 1 < count)
            value |= words[word + 1] << (64 - shift);
        int32_t centred = (int32_t)(value & ((1 << DIGIT_BITS) - 1)) + carry;
        carry = centred >= 1 << (DIGIT_BITS - 1);
        digit[i] = (int16_t)(centred - (carry << DIGIT_BITS));
    }
    digit[digits] = (int16_t)carry;
    memcpy(pairs, digit, sizeof(int32_t) * MAX_PAIRS);
    return digits / 2 + 1;
}

static inline __m256d remainder_of(__m256d sum, __m256d prime)
{
    return _mm256_sub_pd(sum, _mm256_mul_pd(_mm256_floor_pd(_mm256_div_pd(sum, prime)), prime));
}

static void remainders(uint64_t number[LANES][MAX_WORDS], int count, int32_t rest[LANES][PRIMES])
{
    int32_t pairs[LANES][MAX_PAIRS];
    int used = 0;

    for (int lane = 0; lane < LANES; lane++)
        used = digit_pairs(number[lane], count, pairs[lane]);
    for (int group = 0; group < GROUPS; group++) {
        const __m256i prime = _mm256_loadu_si256((const __m256i *)(small_primes + 8 * group));
        const __m256d low_prime = _mm256_cvtepi32_pd(_mm256_castsi256_si128(prime));
        const __m256d high_prime = _mm256_cvtepi32_pd(_mm256_extracti128_si256(prime, 1));
        __m256d low[LANES], high[LANES];
        for (int lane = 0; lane < LANES; lane++)
            low[lane] = high[lane] = _mm256_setzero_pd();
        for (int from = 0; from < used; from += PAIRS_AT_ONCE) {
            __m256i sum[LANES];
            int until = from + PAIRS_AT_ONCE < used ? from + PAIRS_AT_ONCE : used;
            for (int lane = 0; lane < LANES; lane++)
                sum[lane] = _mm256_setzero_si256();
            for (int i = from; i < until; i++) {
                const __m256i power = _mm256_load_si256((const __m256i *)powers[group][i]);
#pragma GCC unroll 4
                for (int lane = 0; lane < LANES; lane++)
                    sum[lane] = _mm256_add_epi32(
                        sum[lane], _mm256_madd_epi16(power, _mm256_set1_epi32(pairs[lane][i])));
            }
            for (int lane = 0; lane < LANES; lane++) {
                low[lane] = _mm256_add_pd(low[lane], _mm256_cvtepi32_pd(_mm256_castsi256_si128(sum[lane])));
                high[lane] = _mm256_add_pd(high[lane], _mm256_cvtepi32_pd(_mm256_extracti128_si256(sum[lane], 1)));
            }
        }
        for (int lane = 0; lane < LANES; lane++) {
            __m256i found = _mm256_set_m128i(_mm256_cvtpd_epi32(remainder_of(high[lane], high_prime)),
                                             _mm256_cvtpd_epi32(remainder_of(low[lane], low_prime)));
            /* the quotient may be off by one */
            found = _mm256_add_epi32(found, _mm256_and_si256(_mm256_srai_epi32(found, 31), prime));
            __m256i less = _mm256_sub_epi32(found, prime);
            found = _mm256_blendv_epi8(less, found, _mm256_srai_epi32(less, 31));
            _mm256_storeu_si256((__m256i *)(rest[lane] + 8 * group), found);
        }
    }
}

/* The distance from an odd number, given by its remainders, to the first candidate at or after it. */
static uint64_t distance(int32_t *rest)
{
    static uint8_t struck[WINDOW];
    const __m256i one = _mm256_set1_epi32(1), window = _mm256_set1_epi32(WINDOW);

    for (uint64_t base = 0;; base += 2 * WINDOW) {
        memset(struck, 0, sizeof struck);
        for (int group = 0; group < GROUPS; group++) {
            const __m256i prime = _mm256_loadu_si256((const __m256i *)(small_primes + 8 * group));
            const __m256i own = _mm256_loadu_si256((const __m256i *)(rest + 8 * group));
            for (int residue = 0; residue <= 1; residue++) {
                /* the number of steps of two to the next number with this remainder */
                __m256i to_go = _mm256_sub_epi32(_mm256_set1_epi32(residue), own);
                to_go = _mm256_add_epi32(to_go, _mm256_and_si256(_mm256_srai_epi32(to_go, 31), prime));
                __m256i odd = _mm256_sub_epi32(_mm256_setzero_si256(), _mm256_and_si256(to_go, one));
                __m256i steps = _mm256_srli_epi32(_mm256_add_epi32(to_go, _mm256_and_si256(odd, prime)), 1);
                unsigned near = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(window, steps)));
                int32_t first[8] __attribute__((aligned(32)));
                _mm256_store_si256((__m256i *)first, steps);
                for (; near; near &= near - 1) {
                    int i = __builtin_ctz(near);
                    for (int32_t at = first[i]; at < WINDOW; at += small_primes[8 * group + i])
                        struck[at] = 1;
                }
            }
        }
        for (int at = 0; at < WINDOW; at++)
            if (!struck[at])
                return base + 2 * (uint64_t)at;
        for (int i = 0; i < PRIMES; i++)
            rest[i] = (rest[i] + 2 * WINDOW) % small_primes[i];
    }
}

/* ---- Fermat's test for four numbers at once, each limb of them in a register of four ---- */

#define MAX_LIMBS 78
typedef __m256i Limb;

static inline Limb times(Limb a, Limb b) { return _mm256_mul_epu32(a, b); }
static inline Limb plus(Limb a, Limb b) { return _mm256_add_epi64(a, b); }

#define ROWS 6

/* sum[k] += Σ row[r] * of[k - r] for the rows and k from `from` below `until`, a multiple of ROWS columns; all these
 * of[k - r] are there. The last six of them stay in registers, each under its name, as copying them takes time. */
static inline __attribute__((always_inline)) void add_rows(Limb *sum, const Limb *row, const Limb *of, int from, int until)
{
    const Limb a = row[0], b = row[1], c = row[2], d = row[3], e = row[4], f = row[5];
    Limb p, q = of[from - 5], r = of[from - 4], s = of[from - 3], t = of[from - 2], u = of[from - 1];
#define COLUMN(k, now, one, two, three, four, five) \
    now = of[k]; \
    sum[k] = plus(plus(plus(plus(plus(plus(sum[k], times(f, five)), times(e, four)), times(d, three)), times(c, two)), \
                  times(b, one)), times(a, now))
    for (int k = from; k < until; k += ROWS) {
        COLUMN(k, p, u, t, s, r, q);
        COLUMN(k + 1, q, p, u, t, s, r);
        COLUMN(k + 2, r, q, p, u, t, s);
        COLUMN(k + 3, s, r, q, p, u, t);
        COLUMN(k + 4, t, s, r, q, p, u);
        COLUMN(k + 5, u, t, s, r, q, p);
    }
#undef COLUMN
}

/* The last columns of such a product, where of[] ends. */
static inline __attribute__((always_inline)) void add_tail(Limb *sum, const Limb *row, const Limb *of)
{
#pragma GCC unroll 6
    for (int k = 0; k < ROWS - 1; k++) {
        Limb total = sum[k];
#pragma GCC unroll 6
        for (int r = k + 1; r < ROWS; r++)
            total = plus(total, times(row[r], of[k - r]));
        sum[k] = total;
    }
}

/* The first columns of the square of a number: these rows against themselves and, where `all`, those that follow. */
static inline __attribute__((always_inline)) void add_head(Limb *sum, const Limb *x, const Limb *twice, const int all)
{
#pragma GCC unroll 12
    for (int k = 0; k < 2 * ROWS; k++) {
        Limb total = sum[k];
#pragma GCC unroll 6
        for (int r = 0; r < ROWS; r++)
            if (r <= k - r && (k - r < ROWS || all))
                total = plus(total, times(r == k - r ? x[r] : twice[r], x[k - r]));
        sum[k] = total;
    }
}

/* The multiple of n that makes column r vanish, after those before it were found, and what it carries to the next. */
static inline __attribute__((always_inline)) Limb quotient(
    const Limb *sum, const Limb *n, Limb inverse, const int radix, Limb carry, Limb *q, const int r)
{
    Limb value = sum[r];
#pragma GCC unroll 6
    for (int s = 0; s < ROWS; s++)
        if (s < r)
            value = plus(value, times(q[s], n[r - s]));
    value = plus(value, carry); /* which comes last */
    q[r] = _mm256_and_si256(times(value, inverse), _mm256_set1_epi64x((1 << radix) - 1));
    return _mm256_srli_epi64(plus(value, times(q[r], n[0])), radix);
}

/* x = x * x / R mod n, and a few n too many; limbs are a multiple of ROWS, R is 2 to the power limbs * radix */
static inline __attribute__((always_inline)) void square(
    Limb *x, const Limb *n, Limb inverse, const int limbs, const int radix)
{
    const Limb mask = _mm256_set1_epi64x((1 << radix) - 1);
    Limb sum[2 * MAX_LIMBS + 4], twice[MAX_LIMBS];

    for (int i = 0; i < 2 * limbs; i++)
        sum[i] = _mm256_setzero_si256();
    for (int i = 0; i < limbs; i++)
        twice[i] = plus(x[i], x[i]);
    for (int i = 0; i + ROWS < limbs; i += ROWS) {
        add_head(sum + 2 * i, x + i, twice + i, 1);
        add_rows(sum + 2 * i, twice + i, x + i, 2 * ROWS, limbs - i);
        add_tail(sum + limbs + i, twice + i, x + limbs);
    }
    add_head(sum + 2 * (limbs - ROWS), x + limbs - ROWS, twice + limbs - ROWS, 0);
    /* The next rows are found while these are added: they depend on one another and would have to be waited for. */
    Limb q[2][ROWS], carry = _mm256_setzero_si256();
    const int steps = limbs / ROWS - 2;
#pragma GCC unroll 6
    for (int r = 0; r < ROWS; r++)
        carry = quotient(sum, n, inverse, radix, carry, q[0], r);
    for (int i = 0, now = 0; i < limbs; i += ROWS, now = !now) {
        Limb *at = sum + i;
        at[ROWS] = plus(at[ROWS], carry);
        carry = _mm256_setzero_si256();
        add_rows(at, q[now], n, ROWS, 2 * ROWS);
#pragma GCC unroll 12
        for (int step = 0; step < steps; step++) {
            add_rows(at, q[now], n, (step + 2) * ROWS, (step + 3) * ROWS);
#pragma GCC unroll 6
            for (int r = 0; r < ROWS; r++)
                if (r * steps / ROWS == step)
                    carry = quotient(at + ROWS, n, inverse, radix, carry, q[!now], r);
        }
        add_tail(at + limbs, q[now], n + limbs);
    }
    carry = _mm256_setzero_si256();
    for (int i = 0; i < limbs; i++) {
        Limb value = plus(sum[limbs + i], carry);
        carry = _mm256_srli_epi64(value, radix);
        x[i] = _mm256_and_si256(value, mask);
    }
}

/* x = x << by; there is room for it in the last limb */
static inline __attribute__((always_inline)) void shift(Limb *x, Limb by, const int limbs, const int radix)
{
    const Limb mask = _mm256_set1_epi64x((1 << radix) - 1);
    Limb carry = _mm256_setzero_si256();

    for (int i = 0; i < limbs; i++) {
        Limb value = plus(_mm256_sllv_epi64(x[i], by), carry);
        carry = _mm256_srli_epi64(value, radix);
        x[i] = _mm256_and_si256(value, mask);
    }
}

static void split(const uint64_t *words, int count, uint64_t (*limbs)[LANES], int lane, int limb_count, int radix)
{
    for (int i = 0; i < limb_count; i++) {
        int bit = i * radix, word = bit / 64, shift = bit % 64;
        uint64_t value = word < count ? words[word] >> shift : 0;
        if (shift > 64 - radix && word + 1 < count)
            value |= words[word + 1] << (64 - shift);
        limbs[i][lane] = value & (((uint64_t)1 << radix) - 1);
    }
}

/* Which of four odd numbers n have 2^(n - 1) = 1 mod n; the topmost two bits of each are set. */
static inline __attribute__((always_inline)) unsigned fermat(
    uint64_t number[LANES][MAX_WORDS], const int words, const int limbs, const int radix)
{
    const int bits = 64 * words, head = 9 + bits % 3; /* three bits at a time after the first ones */
    uint64_t n[MAX_LIMBS][LANES] __attribute__((aligned(32))), x[MAX_LIMBS][LANES] __attribute__((aligned(32)));
    uint64_t inverse[LANES] __attribute__((aligned(32)));
    mpz_t value, modulus;
    unsigned passed = 0;

    mpz_init(value);
    mpz_init(modulus);
    for (int lane = 0; lane < LANES; lane++) {
        uint64_t start[MAX_WORDS] = {0}, root = 1;
        split(number[lane], words, n, lane, limbs, radix);
        for (int i = 0; i < 6; i++)
            root *= 2 - number[lane][0] * root;
        inverse[lane] = -root & (((uint64_t)1 << radix) - 1);
        mpz_import(modulus, (size_t)words, -1, 8, 0, 0, number[lane]);
        mpz_set_ui(value, 0);
        mpz_setbit(value, (number[lane][words - 1] >> (64 - head)) + (unsigned)(limbs * radix));
        mpz_fdiv_r(value, value, modulus);
        mpz_export(start, NULL, -1, 8, 0, 0, value);
        split(start, words, x, lane, limbs, radix);
    }
    for (int bit = bits - head - 3; bit >= 0; bit -= 3) {
        uint64_t by[LANES] __attribute__((aligned(32)));
        for (int lane = 0; lane < LANES; lane++) {
            by[lane] = number[lane][bit / 64] >> bit % 64 & 7;
            if (bit % 64 > 61)
                by[lane] |= number[lane][bit / 64 + 1] << (64 - bit % 64) & 7;
            by[lane] -= bit == 0; /* it is n - 1 */
        }
        for (int i = 0; i < 3; i++)
            square((Limb *)x, (const Limb *)n, *(Limb *)inverse, limbs, radix);
        shift((Limb *)x, *(Limb *)by, limbs, radix);
    }
    for (int lane = 0; lane < LANES; lane++) {
        mpz_set_ui(value, 0);
        for (int i = limbs - 1; i >= 0; i--) {
            mpz_mul_2exp(value, value, (mp_bitcnt_t)radix);
            mpz_add_ui(value, value, x[i][lane]);
        }
        mpz_t one;
        mpz_init_set_ui(one, 0);
        mpz_setbit(one, (mp_bitcnt_t)(limbs * radix));
        mpz_sub(value, one, value);
        mpz_import(modulus, (size_t)words, -1, 8, 0, 0, number[lane]);
        passed |= (unsigned)(mpz_divisible_p(value, modulus) != 0) << lane;
        mpz_clear(one);
    }
    mpz_clear(value);
    mpz_clear(modulus);
    return passed;
}

/* Products of two limbs are summed up in 64 bits. With 29 bits they fit but for numbers that do not occur by chance. */
static unsigned which_are_prime(uint64_t number[LANES][MAX_WORDS], int words)
{
    switch (words) {
    case 8: return fermat(number, 8, 18, 29);
    case 16: return fermat(number, 16, 36, 29);
    default: return fermat(number, 32, 78, 27);
    }
}

/* ---- the key ---- */

typedef struct {
    bool busy;
    uint32_t pid;
    Pool pool;
    int found; /* primes */
    uint64_t prime[2][MAX_WORDS];
} Key;

/* How many bases the test takes for a number that is prime. */
static int rounds(int bits)
{
    return bits >= 1300 ? 2 : bits >= 850 ? 3 : bits >= 650 ? 4 : bits >= 550 ? 5 : 6;
}

/* From random bytes to the candidates that are tested. */
static void next_candidates(Key *keys, int words, uint64_t number[LANES][MAX_WORDS])
{
    static int32_t rest[LANES][PRIMES];

    for (int lane = 0; lane < LANES; lane++)
        if (keys[lane].busy) {
            random_number(&keys[lane].pool, 8 * words, number[lane]);
            number[lane][words - 1] |= (uint64_t)3 << 62;
            number[lane][0] |= 1;
        }
    remainders(number, words, rest);
    for (int lane = 0; lane < LANES; lane++) {
        uint64_t step = keys[lane].busy ? distance(rest[lane]) : 0;
        for (int i = 0; i < words && step; i++) {
            number[lane][i] += step;
            step = number[lane][i] < step;
        }
    }
}

/* Take the bytes of one base: a number below n - 1. */
static void take_base(Key *key, int words, const uint64_t *number)
{
    uint64_t base[MAX_WORDS];
    int i;

    do {
        random_number(&key->pool, 8 * words, base);
        for (i = words - 1; i > 0 && base[i] == number[i]; i--)
            ;
    } while (base[i] > number[i] || (i == 0 && base[0] >= number[0] - 1));
}

static void print_key(Key *key, int words, bool primes)
{
    mpz_t p, q, n;
    uint8_t digest[DIGEST];
    char line[16 + 4 * MAX_BYTES];

    mpz_inits(p, q, n, NULL);
    mpz_import(p, (size_t)words, -1, 8, 0, 0, key->prime[0]);
    mpz_import(q, (size_t)words, -1, 8, 0, 0, key->prime[1]);
    if (mpz_cmp(p, q) < 0)
        mpz_swap(p, q);
    mpz_mul(n, p, q);
    int length = gmp_snprintf(line, sizeof line, "Modulus=%ZX\n", n);
    hash((const uint8_t *)line, (const uint8_t *)line + length, digest);
    printf("%" PRIu32 " ", key->pid);
    for (int i = 0; i < DIGEST; i++)
        printf("%02x", digest[i]);
    if (primes)
        gmp_printf(" %Zx %Zx", p, q);
    printf("\n");
    mpz_clears(p, q, n, NULL);
}

/* Whether 65537, the exponent, divides p - 1, which OpenSSL asks after it found a prime. */
static bool exponent_divides(const uint64_t *number, int words)
{
    uint64_t rest = 0;
    for (int i = words - 1; i >= 0; i--)
        for (int part = 32; part >= 0; part -= 32)
            rest = (rest << 32 | (number[i] >> part & 0xffffffff)) % 65537;
    return rest == 1;
}

int main(int count, char **arguments)
{
    bool primes = count > 1 && strcmp(arguments[1], "-p") == 0;
    const Architecture *machine = NULL;
    int file = -1;

    arguments += primes;
    count -= primes;
    int bits = count == 5 ? atoi(arguments[1]) : 0;
    for (size_t i = 0; i < 3 && count == 5; i++)
        for (int j = 0; j < 3; j++) {
            char name[32];
            snprintf(name, sizeof name, "%s-%s", architectures[i].name, seed_files[j]);
            if (strcmp(name, arguments[2]) == 0)
                machine = &architectures[i], file = j;
        }
    if (machine == NULL || (bits != 1024 && bits != 2048 && bits != 4096)) {
        fprintf(stderr, "usage: debian_keys [-p] 1024|2048|4096 {le64|le32|be32}-{rnd|noreadrnd|nornd} FIRST LAST\n");
        return 2;
    }
    uint32_t next = (uint32_t)atoi(arguments[3]), last = (uint32_t)atoi(arguments[4]);
    int words = bits / 128;
    static Key keys[LANES];
    static uint64_t number[LANES][MAX_WORDS];

    make_tables();
    for (int lane = 0; lane < LANES; lane++) /* something to test where nothing is left to do */
        memset(number[lane], 0xff, sizeof number[lane]);
    for (;;) {
        bool busy = false;
        for (int lane = 0; lane < LANES; lane++) {
            Key *key = &keys[lane];
            if (!key->busy && next <= last) {
                key->busy = true;
                key->found = 0;
                key->pid = next++;
                pool_start(&key->pool, machine, (SeedFile)file, key->pid);
            }
            busy |= key->busy;
        }
        if (!busy)
            return fflush(stdout) == 0 ? 0 : 1;
        next_candidates(keys, words, number);
        unsigned prime = which_are_prime(number, words);
        for (int lane = 0; lane < LANES; lane++) {
            Key *key = &keys[lane];
            if (!key->busy)
                continue;
            for (int i = prime >> lane & 1 ? rounds(64 * words) : 1; i > 0; i--)
                take_base(key, words, number[lane]);
            if (!(prime >> lane & 1) || exponent_divides(number[lane], words))
                continue;
            memcpy(key->prime[key->found++], number[lane], sizeof number[lane]);
            if (key->found == 2) {
                print_key(key, words, primes);
                key->busy = false;
            }
        }
    }
}
