// Imported settings decide as Claude Code documents it, or more strictly; nothing rides along with what is allowed.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject } from '../../step/types.ts';
import { decider } from '../testing/decide.ts';
import { parseRule } from './rules.ts';
import { importClaudeCode } from './spec.ts';

const WHERE = { project: '/srv/app', home: '/home/ann' };
const imported = (permissions: object, more: object = {}) =>
  importClaudeCode([{ name: 'settings.json', text: JSON.stringify({ permissions, ...more }) }], WHERE);
const deciding = (permissions: object) => decider(imported(permissions));

/** Each call and what is decided of it. */
function table(
  permissions: object,
  tool: string,
  argument: string,
  wanted: Readonly<Record<string, string>>,
) {
  const decide = deciding(permissions);
  const found = Object.fromEntries(
    Object.keys(wanted).map((text) => [text, decide(tool, { [argument]: text })]),
  );
  assert.deepEqual(found, wanted);
}

describe('commands', () => {
  const allow = ['Bash(npm run test:*)', 'Bash(git diff *)', 'Bash(npm ci)', 'Bash(git * main)', 'Bash(ls*)'];

  test('exact, prefix at a word, wildcards', () => {
    table({ allow }, 'Bash', 'command', {
      'npm run test': 'allow',
      'npm run test --watch src': 'allow',
      'npm run test "a b"': 'allow',
      'npm run tests': 'hold',
      'npm ci': 'allow',
      'npm ci --force': 'hold',
      'git diff': 'allow',
      'git push origin main': 'allow',
      'git push origin next': 'hold',
      lsof: 'allow',
      ' npm ci': 'allow',
      'NPM CI': 'hold',
      '': 'hold',
    });
  });

  test('what is joined must be allowed, each part of it', () => {
    table({ allow }, 'Bash', 'command', {
      'npm ci && npm run test': 'allow',
      'npm ci; git diff | ls -l || npm run test\nnpm ci': 'allow',
      'npm ci && curl evil.example': 'hold',
      'curl evil.example && npm ci': 'hold',
      'npm run test; rm -rf /': 'hold',
      'npm run test | sh': 'hold',
      'npm run test || rm x': 'hold',
      'npm run test & rm x': 'hold',
      'npm run test\nrm x': 'hold',
      'npm run test\r\nrm x': 'hold',
      'npm run test $(rm x)': 'hold',
      'npm run test `rm x`': 'hold',
      'npm run test <(rm x)': 'hold',
      'npm run test > ~/.bashrc': 'hold',
      'npm run test < /etc/passwd': 'hold',
      'npm run test $HOME': 'hold',
      'npm run test {a,b}': 'hold',
      'npm run test \\; rm': 'hold',
      'git "x; git y main; npm ci" && rm main': 'hold',
      'X=1 npm ci': 'hold',
      'npm ci;': 'hold',
    });
  });

  test('a deny takes its words wherever they stand', () => {
    table(
      {
        allow: ['Bash'],
        deny: ['Bash(rm -rf *)', 'Bash(curl:*)', 'Bash(git push --force)', 'Bash(* --hard)'],
      },
      'Bash',
      'command',
      {
        'ls -la': 'allow',
        'rm -rf': 'deny',
        'rm  -rf   /': 'deny',
        'cd / && rm -rf x': 'deny',
        '/bin/rm -rf x': 'deny',
        'sudo timeout 5 rm -rf x': 'deny',
        'RM -RF x': 'deny',
        '"rm" -rf x': 'deny',
        'x=$(curl evil.example)': 'deny',
        'bash -c "curl evil.example"': 'deny',
        'ls\ncurl evil.example': 'deny',
        curly: 'allow',
        'git push --force': 'deny',
        'git push --force; ls': 'deny',
        'git push --forced': 'allow',
        'git reset --hard': 'deny',
        'r\\m -rf x': 'hold',
        "r''m -rf x": 'hold',
        'r"m" -rf x': 'hold',
        '$X -rf x': 'hold',
      },
    );
  });

  test('deny over ask over allow, in every mode', () => {
    for (const defaultMode of ['default', 'acceptEdits', 'plan', 'auto', 'dontAsk', 'bypassPermissions']) {
      const decide = deciding({
        allow: ['Bash(git *)'],
        ask: ['Bash(git push *)'],
        deny: ['Bash(git push --force *)'],
        defaultMode,
      });
      const asked = defaultMode === 'dontAsk' ? 'deny' : 'hold';
      assert.equal(decide('Bash', { command: 'git status' }), 'allow', defaultMode);
      assert.equal(decide('Bash', { command: 'git push' }), asked, defaultMode);
      assert.equal(decide('Bash', { command: 'git push --force x' }), 'deny', defaultMode);
      const other = defaultMode === 'bypassPermissions' ? 'allow' : asked;
      assert.equal(decide('Bash', { command: 'make' }), other, defaultMode);
      assert.equal(decide('UnheardOf'), other, defaultMode);
      assert.equal(decide('Read', { file_path: '/srv/app/a' }), 'allow', defaultMode);
    }
  });

  test('a deny of nothing but wildcards takes everything; a mode that is switched off is not imported', () => {
    for (const rule of ['Bash(:*)', 'Bash(**)', 'Bash( *)'])
      assert.equal(deciding({ allow: ['Bash'], deny: [rule] })('Bash', { command: 'ls' }), 'deny', rule);
    assert.equal(deciding({ allow: ['Bash'], deny: ['Bash( rm *)'] })('Bash', { command: 'rm x' }), 'deny');
    const off = { defaultMode: 'bypassPermissions', disableBypassPermissionsMode: 'disable' };
    assert.equal(deciding(off)('Bash', { command: 'ls' }), 'hold');
  });

  test('whatever is put around a stranger, no allow takes it', () => {
    const decide = deciding({ allow });
    const piece = fc.constantFrom(
      'npm ci',
      'git diff',
      'ls',
      '"',
      "'",
      '\\',
      ' ',
      '\n',
      '\t',
      '#',
      '(',
      ')',
      '{',
      '}',
      '!',
      '-',
      'main',
    );
    const joint = fc.constantFrom(
      ';',
      '&&',
      '||',
      '|',
      '|&',
      '&',
      '\n',
      '$(',
      '`',
      '>(',
      '\r',
      ' ; ',
      '\n\n',
    );
    fc.assert(
      fc.property(fc.array(piece), joint, fc.array(piece), (before, join, after) => {
        const command = `${before.join('')}${join}evil x${after.join('')}`;
        // Within quotes a stranger's name is an argument; those with a `main` at the end are `git * main`, one command.
        fc.pre(!/["'\\]/.test(command));
        assert.notEqual(decide('Bash', { command }), 'allow', command);
      }),
      { numRuns: 400 },
    );
  });
});

describe('files', () => {
  test('reads stay in the project, additional folders, and what is allowed', () => {
    table(
      { allow: ['Read(~/.zshrc)', 'Read(//etc/hosts)'], additionalDirectories: ['../docs/'] },
      'Read',
      'file_path',
      {
        '/srv/app/src/a.ts': 'allow',
        '/srv/docs/x': 'allow',
        '/srv/docs2/x': 'hold',
        '/home/ann/.zshrc': 'allow',
        '/home/ann/.ssh/id': 'hold',
        '/etc/hosts': 'allow',
        '/srv/app/../../etc/shadow': 'hold',
        '/srv/app//../x': 'hold',
        '/srv/app/.': 'hold',
        'src/a.ts': 'hold',
        '~/.zshrc': 'hold',
      },
    );
  });

  test('a read that is denied, by any spelling, also for edits, searches and commands', () => {
    const permissions = {
      allow: ['Bash', 'Edit', 'Grep'],
      deny: ['Read(.env)', 'Read(./secrets/**)', 'Read(~/.aws)', 'Read(*.pem)'],
    };
    table(permissions, 'Read', 'file_path', {
      '/srv/app/.env': 'deny',
      '/srv/app/pkg/.env': 'deny',
      '/srv/app/.ENV': 'deny',
      '/srv/app/.env.example': 'allow',
      '/srv/app/secrets/a/b': 'deny',
      '/srv/app/pkg/secrets/a': 'allow',
      '/home/ann/.aws/credentials': 'deny',
      '/srv/app/a/key.pem': 'deny',
      '/srv/app/a/../.env': 'deny',
      '.env': 'deny',
    });
    const decide = deciding(permissions);
    assert.equal(decide('Edit', { file_path: '/srv/app/.env' }), 'deny');
    assert.equal(decide('Grep', {}), 'hold');
    table(permissions, 'Bash', 'command', {
      'cat .env': 'deny',
      'cat ./pkg/.env | head': 'deny',
      'cat secrets/a': 'deny',
      'ls src': 'allow',
      'cat .e*': 'hold',
      'cat .e\\nv': 'hold',
      'openssl x509 -in key.pem': 'deny',
    });
  });

  test('edits: allow rules, modes, protected files', () => {
    const allow = ['Edit(/src/**)', 'Edit(docs/*.md)'];
    table({ allow }, 'Write', 'file_path', {
      '/srv/app/src/a/b.ts': 'allow',
      '/srv/app/docs/a.md': 'allow',
      '/srv/app/docs/a/b.md': 'hold',
      '/srv/app/a.ts': 'hold',
      '/other/src/a.ts': 'hold',
      '/srv/app/src/../.git/config': 'hold',
      '/srv/app/src/.git/config': 'hold',
    });
    assert.equal(deciding({ allow })('NotebookEdit', { notebook_path: '/srv/app/src/a.ipynb' }), 'allow');
    table({ defaultMode: 'acceptEdits' }, 'Edit', 'file_path', {
      '/srv/app/a.ts': 'allow',
      '/srv/app/.claude/settings.json': 'hold',
      '/home/ann/a.ts': 'hold',
    });
    assert.equal(
      deciding({ allow, defaultMode: 'plan' })('Edit', { file_path: '/srv/app/src/a.ts' }),
      'deny',
    );
    const free = deciding({ defaultMode: 'bypassPermissions' });
    assert.equal(free('Edit', { file_path: '/anywhere' }), 'allow');
    assert.equal(free('Edit', { file_path: '/srv/app/.git/hooks/x' }), 'hold');
  });

  test('the project is a parameter', () => {
    const result = imported({ allow: ['Edit(/src/**)'] });
    assert.ok(result.ok);
    assert.match(result.text, /project:\n {4}type: string\n {4}default: \/srv\/app/);
  });
});

describe('addresses and other tools', () => {
  test('hosts', () => {
    table({ allow: ['WebFetch(domain:example.com)', 'WebFetch(domain:*.docs.example)'] }, 'WebFetch', 'url', {
      'https://example.com': 'allow',
      'https://EXAMPLE.com:8443/a?b=c': 'allow',
      'https://sub.example.com/': 'hold',
      'https://example.com.evil.example/': 'hold',
      'https://example.com@evil.example/': 'hold',
      'https://evil.example/?https://example.com/': 'hold',
      'https://example.com\\@evil.example/': 'hold',
      'https://a.docs.example/': 'allow',
      'https://docs.example/': 'hold',
      'file:///etc/passwd': 'hold',
    });
    table({ allow: ['WebFetch'], deny: ['WebFetch(domain:evil.example)'] }, 'WebFetch', 'url', {
      'https://example.com/': 'allow',
      'https://evil.example/': 'deny',
      'https://EVIL.example./': 'deny',
      'https://x@evil.example/': 'deny',
      'https://%65vil.example/': 'deny',
      'https://notevil.example/': 'allow',
    });
  });

  test('tools of servers, agents, skills, whole tools', () => {
    const decide = deciding({
      allow: ['mcp__github', 'mcp__jira__get_*', 'mcp__db__query', 'WebSearch', 'Skill(deploy *)', 'Bash(*)'],
      ask: ['mcp__github__merge'],
      deny: ['mcp__github__delete_*', 'Agent(Explore)', 'Edit'],
    });
    const one = (name: string, args: JsonObject = {}) => decide(name, args);
    assert.equal(one('mcp__github__list'), 'allow');
    assert.equal(one('mcp__github__merge'), 'hold');
    assert.equal(one('mcp__github__delete_repo'), 'deny');
    assert.equal(one('mcp__githubx__list'), 'hold');
    assert.equal(one('mcp__jira__get_issue'), 'allow');
    assert.equal(one('mcp__jira__set_issue'), 'hold');
    assert.equal(one('mcp__db__query'), 'allow');
    assert.equal(one('mcp__db__query2'), 'hold');
    assert.equal(one('WebSearch'), 'allow');
    assert.equal(one('TodoWrite'), 'allow');
    assert.equal(one('Skill', { skill: 'deploy prod' }), 'allow');
    assert.equal(one('Skill', { skill: 'destroy' }), 'hold');
    assert.equal(one('Agent', { subagent_type: 'Explore' }), 'deny');
    assert.equal(one('Task', { subagent_type: 'Plan' }), 'allow');
    assert.equal(one('Write', { file_path: '/srv/app/a' }), 'deny');
    assert.equal(one('Bash', { command: 'anything | at all' }), 'allow');
    assert.equal(one('Bash', {}), 'deny');
  });
});

describe('what is not exact', () => {
  const remarksOf = (permissions: object, more: object = {}) => {
    const result = imported(permissions, more);
    decider(result);
    assert.ok(result.ok);
    return result.remarks.map(({ kind, message }) => `${kind}: ${message}`);
  };

  test('is stricter, and said', () => {
    assert.match(
      remarksOf({ allow: ['Edit(/src/[a-z]*)'] })[0]!,
      /^stricter: allow Edit\(\/src\/\[a-z\]\*\): cannot be taken over/,
    );
    assert.match(remarksOf({ allow: ['Write(/src/**)'] })[0]!, /by Edit\(…\) rules only/);
    assert.match(
      remarksOf({ allow: ['mcp__x__y(z)', 'Grep(src)', 'WebFetch(https://a.example)'] })[2]!,
      /^stricter: allow WebFetch/,
    );
    assert.equal(
      deciding({ allow: ['Read'], deny: ['Read([.]env)'] })('Read', { file_path: '/srv/app/a' }),
      'deny',
    );
    assert.equal(deciding({ deny: ['WebFetch(path:x)'] })('WebFetch', { url: 'https://a.example' }), 'deny');
    assert.equal(deciding({ allow: ['*'] })('UnheardOf'), 'hold');
    assert.equal(deciding({ deny: ['*'] })('TodoWrite'), 'deny');
    assert.equal(deciding({ deny: ['valueOf', 'constructor(x)'] })('constructor'), 'deny');
    assert.deepEqual(remarksOf({ allow: ['Bash(ls)'] }), []);
  });

  test('hooks and sandboxes are said to be missing', () => {
    assert.match(
      remarksOf({}, { hooks: { PreToolUse: [] }, sandbox: {} }).join(),
      /missing: `hooks`.*missing: `sandbox`/,
    );
  });

  test('text of the source cannot leave its comment', () => {
    const result = imported({ allow: ['Edit(a\u2028[rules: x)', 'Edit(b\n- id: y[)'] });
    assert.doesNotThrow(() => decider(result));
  });
});

describe('bad input', () => {
  const problemsOf = (text: string) => {
    const result = importClaudeCode([{ name: 'settings.json', text }], WHERE);
    assert.ok(!result.ok);
    return result.problems.map(({ line, column, code, suggestion }) => [
      line,
      column,
      code,
      suggestion ?? null,
    ]);
  };

  test('has a place', () => {
    assert.deepEqual(problemsOf(''), [[1, 1, 'empty', null]]);
    assert.deepEqual(problemsOf('[]'), [[1, 1, 'type', null]]);
    assert.deepEqual(problemsOf('{"permissions": {\n  "alow": []\n}}'), [[2, 3, 'unknown-key', 'allow']]);
    assert.deepEqual(problemsOf('{"permissions": {"allow": [\n"Bash(ls"]}}'), [[2, 1, 'rule', null]]);
    assert.deepEqual(problemsOf('{"permissions": {"defaultMode": "acceptEdit"}}'), [
      [1, 33, 'type', 'acceptEdits'],
    ]);
    assert.equal(problemsOf('{"permissions": {"allow": ["a"')[0]?.[2], 'syntax');
  });

  test('rules', () => {
    assert.deepEqual(parseRule('Bash(*)'), { tool: 'Bash', specifier: null });
    assert.deepEqual(parseRule('Bash(a (b))'), { tool: 'Bash', specifier: 'a (b)' });
    for (const text of ['', '(x)', 'Bash(x', 'Ba sh', 'Bash(x) y']) assert.equal(parseRule(text), null, text);
  });

  test('any settings import to a spec that checks, or to problems', () => {
    const rule = fc.oneof(
      fc
        .tuple(
          fc.constantFrom('Bash', 'Read', 'Edit', 'WebFetch', 'Skill', 'Agent', 'mcp__a__b', 'X'),
          fc.string({ maxLength: 12 }),
        )
        .map(([tool, text]) => `${tool}(${text})`),
      fc.constantFrom(
        'Bash',
        'Read',
        'Edit',
        'mcp__a',
        'mcp__a__*',
        '*',
        'Read(//**)',
        'Read(~/**/x?)',
        'Bash(a * b:*)',
        'WebFetch(domain:*.x)',
      ),
      fc.string({ maxLength: 12 }),
    );
    const list = fc.array(rule, { maxLength: 4 });
    fc.assert(
      fc.property(
        fc.record({
          allow: list,
          ask: list,
          deny: list,
          defaultMode: fc.constantFrom('default', 'plan', 'dontAsk', 'bypassPermissions'),
        }),
        (permissions) => {
          const result = imported(permissions);
          if (result.ok) decider(result);
          else assert.ok(result.problems.every((problem) => problem.line >= 1));
        },
      ),
      { numRuns: 150 },
    );
  });
});
