using System.Text.Json;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Runc;

/// <summary>The questions and small commands that go to the runc and criu programs.</summary>
internal sealed class RuncTool(RuncOptions options)
{
    private static readonly ToolVersion s_firstWithCgroupIgnore = new(1, 2);
    private static readonly ToolVersion s_firstWithLinkRemap = new(1, 3);

    private ToolVersion? _runc;
    private ToolVersion? _criu;

    public RuncOptions Options => options;

    /// <summary>The state directory of a container, which exists while runc knows it (or its restore broke off).</summary>
    public string StateDirectoryOf(string name) => Path.Combine(options.StateRoot ?? "/run/runc", name);

    /// <summary>A runc command line: program, global options, then <paramref name="arguments"/>.</summary>
    public IEnumerable<string> CommandLine(params IEnumerable<string> arguments) =>
        [options.Runc, .. options.StateRoot is { } root ? ["--root", root] : Array.Empty<string>(), .. arguments];

    /// <summary>The container as runc knows it, or null when it knows none by this name.</summary>
    public async Task<RuncState?> StateAsync(string name, CancellationToken cancellationToken)
    {
        ToolResult result = await RunAsync(["state", name], cancellationToken).ConfigureAwait(false);
        if (!result.Succeeded && result.Error.Contains("does not exist", StringComparison.Ordinal)) return null;
        result.Require($"ask runc about the container {name}");
        return JsonSerializer.Deserialize(result.Output, RuncJson.Default.RuncState)
            ?? throw new ContainerException($"runc described the container {name} in a form that P2PMigrate does not know.");
    }

    /// <summary>
    /// Kills what is left of a container and forgets it. Nothing happens when runc does not know it. A container without processes is
    /// asked for gently first: with force runc waits a tenth of a second for their end in any case.
    /// </summary>
    public async Task DeleteAsync(string name, CancellationToken cancellationToken)
    {
        if ((await RunAsync(["delete", name], cancellationToken).ConfigureAwait(false)).Succeeded) return;
        ToolResult result = await RunAsync(["delete", "--force", name], cancellationToken).ConfigureAwait(false);
        result.Require($"remove the container {name} from runc");
    }

    public async Task<ToolVersion> RuncVersionAsync(CancellationToken cancellationToken) =>
        _runc ??= await VersionAsync(options.Runc, cancellationToken).ConfigureAwait(false);

    public async Task<ToolVersion> CriuVersionAsync(CancellationToken cancellationToken) =>
        _criu ??= await VersionAsync(options.Criu, cancellationToken).ConfigureAwait(false);

    /// <summary>Options of <c>runc checkpoint</c> that only later versions know; CRIU's configuration file stands in for the others.</summary>
    public async Task<IReadOnlyList<string>> DumpOptionsAsync(bool manageCgroups, CancellationToken cancellationToken)
    {
        ToolVersion version = await RuncVersionAsync(cancellationToken).ConfigureAwait(false);
        return [.. CgroupOptions(version, manageCgroups), .. version >= s_firstWithLinkRemap ? ["--link-remap", "--tcp-skip-in-flight"] : Array.Empty<string>()];
    }

    /// <summary>As <see cref="DumpOptionsAsync"/>, for <c>runc restore</c>.</summary>
    public async Task<IReadOnlyList<string>> RestoreOptionsAsync(bool manageCgroups, CancellationToken cancellationToken) =>
        CgroupOptions(await RuncVersionAsync(cancellationToken).ConfigureAwait(false), manageCgroups);

    /// <summary>Walking and restoring cgroups costs time; runc itself puts the container into its own.</summary>
    private static string[] CgroupOptions(ToolVersion version, bool manageCgroups) =>
        manageCgroups || version < s_firstWithCgroupIgnore ? [] : ["--manage-cgroups-mode", "ignore"];

    private Task<ToolResult> RunAsync(IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        string[] line = [.. CommandLine(arguments)];
        return Tool.RunAsync(line[0], line[1..], cancellationToken);
    }

    private static async Task<ToolVersion> VersionAsync(string program, CancellationToken cancellationToken)
    {
        ToolResult result = await Tool.RunAsync(program, ["--version"], cancellationToken).ConfigureAwait(false);
        return ToolVersion.TryFind(result.Require($"ask {program} for its version").Output, out ToolVersion version)
            ? version
            : throw new ContainerException($"`{program} --version` printed no version but \"{result.Output.Trim()}\".");
    }
}
