namespace P2PMigrate.Lab;

/// <summary>The shell scripts that travel inside this assembly.</summary>
internal static class EmbeddedScript
{
    public static string HostInit { get; } = Read("host-init.sh");

    public static string ContainerTemplate { get; } = Read("container-template.sh");

    public static string GatewayInit { get; } = Read("gateway-init.sh");

    private static string Read(string name)
    {
        using Stream stream = typeof(EmbeddedScript).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"{name} is not embedded");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
