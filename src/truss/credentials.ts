/** How much of a value is looked at; what tells a credential stands at its start. */
const MAX_LOOKED_AT = 16_384;

/**
 * The shapes of well-known credentials. Each pattern takes time in proportion to the text: none has a repetition
 * that can start at many places of a run that it also matches.
 */
const SHAPES: readonly RegExp[] = [
  // Hugging Face, OpenAI and Anthropic, Baseten
  /(?<![a-zA-Z0-9_-])hf_[a-zA-Z0-9]{20}/,
  /(?<![a-zA-Z0-9_-])sk-[a-zA-Z0-9_-]{20}/,
  /^[a-zA-Z0-9]{8}\.[a-zA-Z0-9]{32}$/,
  // AWS access keys, Google API keys and tokens, Azure storage
  /(?<![a-zA-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![a-zA-Z0-9])/,
  /(?<![a-zA-Z0-9_-])AIza[a-zA-Z0-9_-]{35}/,
  /(?<![a-zA-Z0-9_-])ya29\.[a-zA-Z0-9_-]{20}/,
  /AccountKey=[a-zA-Z0-9+/]{40}/,
  // GitHub, GitLab, Slack, npm, PyPI, Stripe, SendGrid, DigitalOcean, Replicate, Groq, Weights & Biases' v1 keys
  /(?<![a-zA-Z0-9_-])(?:gh[opsur]_[a-zA-Z0-9]{30}|github_pat_[a-zA-Z0-9_]{30}|glpat-[a-zA-Z0-9_-]{20})/,
  /(?<![a-zA-Z0-9_-])xox[abeoprs]-[a-zA-Z0-9-]{10}/,
  /(?<![a-zA-Z0-9_-])(?:npm_[a-zA-Z0-9]{36}|pypi-[a-zA-Z0-9_-]{40}|[rs]k_live_[a-zA-Z0-9]{16})/,
  /(?<![a-zA-Z0-9_-])(?:SG\.[a-zA-Z0-9_-]{16}|dop_v1_[a-f0-9]{40}|r8_[a-zA-Z0-9]{30}|gsk_[a-zA-Z0-9]{30}|wandb_v1_)/,
  // Private keys, JSON web tokens, service accounts, a password in a URL
  /-----BEGIN (?:[A-Z]{1,20} ){0,3}PRIVATE KEY-----/,
  /(?<![\w-])eyJ[\w-]{10,2000}\.eyJ[\w-]{10}/,
  /"private_key"\s{0,20}:/,
  /:\/\/[^\s/:@]{0,200}:[^\s/@]{1,500}@/,
];

const CREDENTIAL = new RegExp(SHAPES.map(({ source }) => source).join('|'));
/** No pattern matches a shorter text. */
const MIN_CREDENTIAL = 8;

/** 40 characters of base64 with both cases and a digit, as AWS's secret keys are; a SHA-1 has one case only. */
const AWS_SECRET_KEY = /^[a-zA-Z0-9/+]{40}$/;

/** Filled up with one character: `hf_xxxxxxxxxxxxxxxxxxxx`. */
const FILLED = /([xX*.0])\1{5}/;

/** Whether the text has the shape of a real credential. It must never be shown. */
export function looksLikeCredential(text: string): boolean {
  const start = text.slice(0, MAX_LOOKED_AT).trim();
  if (start.length < MIN_CREDENTIAL || FILLED.test(start) || INDIRECT.test(start)) return false;
  if (CREDENTIAL.test(start)) return true;
  return AWS_SECRET_KEY.test(start) && /[a-z]/.test(start) && /[A-Z]/.test(start) && /[0-9]/.test(start);
}

/** A run that nobody types: 24 letters and digits or more, with some of both. */
const RANDOM = /[a-zA-Z0-9]{24,200}/;

/** Like {@link looksLikeCredential}, for a default under `secrets`, where any random text is one, and base64 for a registry. */
export function looksLikeSecret(text: string, registry: boolean): boolean {
  if (looksLikeCredential(text)) return true;
  if (looksLikePlaceholder(text)) return false;
  if (registry && /^[a-zA-Z0-9+/]{12,1000}={0,2}$/.test(text)) return true;
  const run = RANDOM.exec(text.slice(0, MAX_LOOKED_AT))?.[0] ?? '';
  return (run.match(/[0-9]/g)?.length ?? 0) >= 4 && (run.match(/[a-zA-Z]/g)?.length ?? 0) >= 4;
}

const PASSWORD_WORDS = new Set(['password', 'passwd', 'passphrase']);
const SECRET_WORDS = new Set(['token', 'secret', 'key', 'apikey', 'credential', 'credentials', 'auth']);
/** `HF_TOKEN_PATH` and the like say where something is, or what it is called. */
const ABOUT_WORDS = new Set([
  'name',
  'path',
  'file',
  'dir',
  'url',
  'uri',
  'id',
  'type',
  'header',
  'arn',
  'size',
  'length',
]);

/** Like {@link looksLikeCredential}, for an environment variable, whose name tells what its value is. */
export function looksLikeSecretVariable(name: string, text: string): boolean {
  if (looksLikeCredential(text)) return true;
  const words = name
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word !== '');
  if (ABOUT_WORDS.has(words.at(-1) ?? '') || looksLikePlaceholder(text)) return false;
  if (words.some((word) => PASSWORD_WORDS.has(word))) return /^\S{4,500}$/.test(text);
  const random = /^[\w+/=.~-]{16,1000}$/.test(text) && /[0-9]/.test(text) && /[a-zA-Z]/.test(text);
  return random && !text.startsWith('/') && words.some((word) => SECRET_WORDS.has(word));
}

/** A reference to a value elsewhere: `$HF_TOKEN`, `${HF_TOKEN}`, `{{ token }}`, `<token>`. */
const INDIRECT = /^(?:\$\{?\w{1,100}\}?|\{\{[^{}]{0,200}\}\}|<[^<>]{0,500}>|\[[^[\]]{0,500}\])$/;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** One of these words makes a placeholder. */
const TELLING = new Set(
  'your yours changeme change placeholder example dummy fake todo tbd fixme replace insert enter paste fill here redacted sample goes xxx'.split(
    ' ',
  ),
);

/** A text of these words alone is one too. */
const HARMLESS = new Set(
  'a an the to in of for from on set put add use my and with value secret secrets token tokens key keys api access id password pass user username name credential credentials null none nil na empty test default string hf huggingface hugging face aws gcp openai baseten workspace account store manager env environment only read write optional required needed if not'.split(
    ' ',
  ),
);

/** Whether the text was written to be replaced: words, `<...>`, `xxx`, or the example UUID of Truss's guide. */
export function looksLikePlaceholder(text: string): boolean {
  const start = text.slice(0, MAX_LOOKED_AT).trim();
  if (UUID.test(start) || INDIRECT.test(start) || FILLED.test(start)) return true;
  if (/^[xX*.\-_?#]+$/.test(start) || start.includes('...') || start.includes('***')) return true;
  const words = start
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word !== '');
  return (
    words.some((word) => TELLING.has(word)) || (words.length > 0 && words.every((word) => HARMLESS.has(word)))
  );
}
