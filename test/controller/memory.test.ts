import { describe, expect, it } from 'vitest';
import { deliveredSecretName, pullSecretName } from '../../src/api/names.ts';
import { Memory, secretId } from '../../src/controller/memory.ts';

const model = { namespace: 'models', name: 'gfpgan', uid: 'uid-gfpgan' };
const delivered = secretId(model, deliveredSecretName(model.name));
const pull = secretId(model, pullSecretName(model.name));
const MINUTE = 60_000;

describe('the memory of writes', () => {
  it('knows the two Secrets of a model apart', () => {
    const memory = new Memory();
    memory.rememberWrite(delivered, 'content', 0);
    expect(memory.fight(delivered, 0)?.wanted).toBe('content');
    expect(memory.fight(pull, 0)).toBe(undefined);
  });

  it('knows the Secrets of a model and of its successor of the same name apart', () => {
    const successor = { ...model, uid: 'uid-later' };
    expect(secretId(successor, deliveredSecretName(model.name))).not.toBe(delivered);
    expect(secretId(successor, pullSecretName(model.name))).not.toBe(pull);
  });

  it('lets go of what was written long ago as soon as something else is', () => {
    const memory = new Memory();
    memory.rememberWrite(delivered, 'content', 0);
    memory.rememberWrite(pull, 'content', 11 * MINUTE);
    expect(memory.fight(delivered, 11 * MINUTE)).toBe(undefined);
    expect(memory.fight(pull, 11 * MINUTE)?.wanted).toBe('content');
  });
});
