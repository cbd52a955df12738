import fc from 'fast-check';

/** In CI always the same documents, as its verdict is about the commit; everywhere else new ones each time. */
if (process.env['CI'] !== undefined) fc.configureGlobal({ seed: 20_261_123 });
