namespace P2PMigrate.Lab;

/// <summary>
/// Builds root file systems with mmdebstrap, once per recipe. Builders of several processes take turns on a lock file;
/// an image appears in the cache by one rename, so a half-built one is never seen.
/// </summary>
internal sealed class RootfsBuilder(Action<string> report)
{
    private static readonly TimeSpan LockRetry = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan BuildLimit = TimeSpan.FromMinutes(20);

    public async Task<RootfsImage> EnsureAsync(RootfsRecipe recipe, CancellationToken cancellationToken)
    {
        RootfsImage image = RootfsImage.At(recipe);
        if (image.Exists) return image;

        Directory.CreateDirectory(RootfsImage.CacheDirectory);
        using FileStream turn = await TakeTurnAsync(image.Directory + ".lock", cancellationToken).ConfigureAwait(false);
        if (!image.Exists) await BuildAsync(recipe, image, cancellationToken).ConfigureAwait(false);
        return image;
    }

    private async Task BuildAsync(RootfsRecipe recipe, RootfsImage image, CancellationToken cancellationToken)
    {
        var draft = new RootfsImage(image.Directory + ".partial");
        await Tool.RequireAsync("rm", ["-rf", "--one-file-system", draft.Directory], cancellationToken).ConfigureAwait(false);
        Directory.CreateDirectory(draft.Directory);
        string mirror = await AptMirror.FindAsync(cancellationToken).ConfigureAwait(false);
        report($"building the {recipe.Suite} root file system (once, about a minute)");

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(BuildLimit);
        await Tool.RequireAsync("mmdebstrap", MmdebstrapArguments(recipe, draft, mirror), limit.Token).ConfigureAwait(false);
        CommandResult template = await Tool.RunAsync(
            "chroot", [draft.HostRoot, "/bin/sh", "-s"], EmbeddedScript.ContainerTemplate, limit.Token).ConfigureAwait(false);
        template.EnsureSuccess();
        Directory.Move(Path.Combine(draft.HostRoot, "container"), draft.ContainerTemplate);
        Directory.Move(Path.Combine(draft.HostRoot, "system"), draft.SystemTemplate);
        Directory.Move(draft.Directory, image.Directory);
    }

    private static string[] MmdebstrapArguments(RootfsRecipe recipe, RootfsImage draft, string mirror) =>
    [
        "--quiet", "--variant=minbase",
        // A mirror may be a snapshot whose Release file is past its date.
        "--aptopt=Acquire::Check-Valid-Until \"false\"",
        "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
        "--include=" + string.Join(',', recipe.Packages),
        recipe.Suite, draft.HostRoot, mirror,
    ];

    private static async Task<FileStream> TakeTurnAsync(string path, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                await Task.Delay(LockRetry, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
