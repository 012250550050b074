/*
 * scan_body.h
 *	  Sums of table entries for blocks of 32 codes (FastScan: Andre, Kermarrec,
 *	  Le Scouarnec 2015), where a shuffle looks up many entries at a time.
 *
 * Included by levels with such a shuffle, with
 *		HX_SCAN_BYTES			bytes of a register: 16, 32 or 64
 *		HX_LOOKUP(table, x)		byte i: the entry x[i] < 16 of the 16 bytes of `table` around i
 * defined. No include guard on purpose.
 */

#define HX_SCAN_PARTS (HX_SCAN_BYTES / 16)

typedef uint8_t ScanBytes __attribute__((vector_size(HX_SCAN_BYTES)));
typedef uint16_t ScanWords __attribute__((vector_size(HX_SCAN_BYTES)));
typedef uint16_t ScanSums __attribute__((vector_size(16)));

/* So many groups add up to less than 2^16. */
#define HX_SCAN_GROUPS 256

/* Sums of 16 codes: the codes of both parities with noise from the odd ones, and the odd. */
typedef struct ScanPair
{
	ScanWords	both;
	ScanWords	odd;
} ScanPair;

HX_INLINE void
add_entries(ScanPair *sum, ScanBytes entries)
{
	sum->both += (ScanWords) entries;
	sum->odd += (ScanWords) entries >> 8;
}

/* Adds up the groups that lie side by side in a register. */
HX_INLINE ScanSums
fold_parts(ScanWords x)
{
	ScanSums	part[HX_SCAN_PARTS];

	memcpy(part, &x, sizeof(x));
	HX_UNROLL(4)
	for (int p = 1; p < HX_SCAN_PARTS; p++)
		part[0] += part[p];
	return part[0];
}

/* Adds the sums of 16 codes to `out`. */
HX_INLINE void
take_entries(const ScanPair *sum, uint32_t *out)
{
	ScanSums	odd = fold_parts(sum->odd);
	ScanSums	even = fold_parts(sum->both) - (odd << 8);
	uint16_t	lane[2][8];

	memcpy(lane[0], &even, sizeof(even));
	memcpy(lane[1], &odd, sizeof(odd));
	HX_UNROLL(8)
	for (int i = 0; i < 8; i++)
	{
		out[2 * i] += lane[0][i];
		out[2 * i + 1] += lane[1][i];
	}
}

static void
scan_block(const uint8_t *block, const uint8_t *table, size_t groups, uint32_t *out)
{
	memset(out, 0, HX_BLOCK * sizeof(*out));
	while (groups > 0)
	{
		const size_t now = groups < HX_SCAN_GROUPS ? groups : HX_SCAN_GROUPS;
		ScanPair	low = {{0}, {0}};
		ScanPair	high = {{0}, {0}};

		for (size_t g = 0; g < now; g += HX_SCAN_PARTS)
		{
			ScanBytes	x;
			ScanBytes	entries;

			memcpy(&x, block + g * 16, sizeof(x));
			memcpy(&entries, table + g * 16, sizeof(entries));
			add_entries(&low, (ScanBytes) HX_LOOKUP(entries, x & 15));
			add_entries(&high, (ScanBytes) HX_LOOKUP(entries, x >> 4));
		}
		take_entries(&low, out);
		take_entries(&high, out + HX_BLOCK / 2);
		block += now * 16;
		table += now * 16;
		groups -= now;
	}
}
