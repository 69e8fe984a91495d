// The tools of MCP servers that a project's settings name, asked of the servers themselves: their commands are run, so only for
// who asked for it. A server that does not answer is a problem that is told.
import {
  type FoundTool,
  keptSchema,
  type McpServer,
  type Project,
  withServerTools,
} from '../../init/index.ts';
import { askTools, type ListedTool, ServerSilent } from '../../mcp/index.ts';
import { toJson } from '../../step/json.ts';

const TIMEOUT_MS = 30_000;

export async function withTold(project: Project, root: string): Promise<Project> {
  const problems = [...project.problems];
  const tools: FoundTool[] = [];
  for (const server of project.servers) {
    if (server.guarded) continue;
    if (server.command === null) {
      problems.push({ file: server.file, why: `${server.name} is asked by its address: not done here` });
      continue;
    }
    try {
      const listed = await askTools(
        server.command,
        { cwd: root, environment: server.environment },
        TIMEOUT_MS,
      );
      tools.push(...listed.map((tool) => foundOf(tool, server)));
    } catch (error) {
      if (!(error instanceof ServerSilent)) throw error;
      problems.push({ file: server.file, why: `${server.name}: ${error.message}` });
    }
  }
  return withServerTools({ ...project, problems }, tools);
}

function foundOf({ name, description, inputSchema, annotations }: ListedTool, server: McpServer): FoundTool {
  const input = toJson(inputSchema);
  return {
    name,
    description,
    input: input.ok ? keptSchema(input.value) : null,
    at: { file: `${server.file}, server ${server.name}`, line: 0 },
    hints: {
      readOnly: annotations.readOnlyHint === true,
      destructive: annotations.destructiveHint === true,
    },
  };
}
