using System.Diagnostics.CodeAnalysis;

namespace P2PMigrate.Migration;

/// <summary>
/// A container's name that is safe as one component of a path: letters, digits, <c>_ . + -</c>, the first a letter or a
/// digit, at most <see cref="LengthMax"/>. No <c>/</c>, no <c>..</c> alone, nothing hidden.
/// </summary>
public readonly record struct ContainerName
{
    /// <summary>Most characters in a name.</summary>
    public const int LengthMax = 64;

    private ContainerName(string value) => Value = value;

    /// <summary>The name.</summary>
    public string Value { get; }

    /// <summary>Reads a name that somebody else chose; false when it is not safe.</summary>
    // spec: MIG-05
    public static bool TryParse([NotNullWhen(true)] string? text, out ContainerName name)
    {
        bool isSafe = text is { Length: > 0 and <= LengthMax }
            && char.IsAsciiLetterOrDigit(text[0])
            && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '.' or '+' or '-');
        name = isSafe ? new ContainerName(text!) : default;
        return isSafe;
    }

    /// <inheritdoc/>
    public override string ToString() => Value;
}
