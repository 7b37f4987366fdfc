/** @file The streams of random numbers that `rmtrain equiv` draws from, apart from those of training (data/random.ts). */
export const streams = { otherLm: 100, head: 101, constants: 102, table: 103 } as const;
