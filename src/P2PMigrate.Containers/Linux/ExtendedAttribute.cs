using System.Runtime.InteropServices;
using System.Text;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Linux;

/// <summary>A text that the kernel keeps beside a file or a cgroup for as long as that is there.</summary>
internal static class ExtendedAttribute
{
    private const int LengthMax = 4_096;

    /// <summary>Sets it. Throws when the file system keeps none.</summary>
    public static void Set(string path, string name, string value)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(value);
        if (Native.SetAttribute(path, name, bytes, (nuint)bytes.Length, 0) != 0) throw new ContainerException($"{path} cannot be marked ({name}): {Marshal.GetLastPInvokeErrorMessage()}.");
    }

    /// <summary>Its value; null when there is none, or no such file.</summary>
    public static string? Get(string path, string name)
    {
        Span<byte> value = new byte[LengthMax];
        var length = (int)Native.GetAttribute(path, name, value, (nuint)value.Length);
        return length < 0 ? null : Encoding.UTF8.GetString(value[..length]);
    }
}
