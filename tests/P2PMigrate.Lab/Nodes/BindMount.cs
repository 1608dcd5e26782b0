namespace P2PMigrate.Lab;

/// <summary>A file or directory of the machine that a virtual host shows at a place of its own.</summary>
public sealed record BindMount(string Source, string Target, bool ReadOnly = false)
{
    /// <summary>Reads the command line's form, <c>SOURCE:TARGET[:ro]</c>.</summary>
    public static BindMount Parse(string text)
    {
        string[] parts = text.Split(':');
        bool valid = parts is [_, ['/', ..]] or [_, ['/', ..], "ro"];
        if (!valid) throw new LabException($"`{text}` is no bind mount: SOURCE:/TARGET[:ro]");
        return new BindMount(Path.GetFullPath(parts[0]), parts[1], ReadOnly: parts.Length == 3);
    }
}
