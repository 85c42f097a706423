/**
 * What the C library is to do with memory (glibc manual, "Memory Allocation Tunables"), which it reads
 * as a process starts: keep one store instead of one for each thread, and give the 19 MiB of a password's
 * hash back at once. Fetching them anew takes as long as ever on huge pages.
 */
export const MEMORY_VARIABLES = {
  GLIBC_TUNABLES: [
    'glibc.malloc.arena_max=1',
    `glibc.malloc.mmap_threshold=${4 * 1024 ** 2}`,
    'glibc.malloc.hugetlb=1',
  ].join(':'),
}
