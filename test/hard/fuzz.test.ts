// The same property as in every run of the tests, tried far more often.
process.env.FUZZ_RUNS = '1000'
await import('../fuzz.test.ts')
