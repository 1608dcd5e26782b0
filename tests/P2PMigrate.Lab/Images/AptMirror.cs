namespace P2PMigrate.Lab;

/// <summary>Finds the Debian mirror that this machine itself is configured to use.</summary>
internal static class AptMirror
{
    private const string Override = "P2PMIGRATE_LAB_MIRROR";

    public static async Task<string> FindAsync(CancellationToken cancellationToken)
    {
        if (Environment.GetEnvironmentVariable(Override) is { Length: > 0 } chosen) return chosen;
        string listed = await Tool.RequireAsync(
            "apt-get", ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"], cancellationToken).ConfigureAwait(false);
        string? mirror = listed.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .FirstOrDefault(uri => uri.TrimEnd('/').EndsWith("/debian", StringComparison.Ordinal));
        return mirror ?? throw new LabException(
            $"apt on this machine is not configured with a Debian mirror; name one in the environment variable {Override}");
    }
}
