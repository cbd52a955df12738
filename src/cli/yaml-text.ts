/**
 * Loaded only for `-o yaml`. A module of its own, as `import('yaml')` itself has no named exports in a bundle:
 * the package is CommonJS.
 */
export { stringify as yamlText } from 'yaml';
