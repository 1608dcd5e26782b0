using System.Text.Json.Serialization;

namespace P2PMigrate.Migration;

/// <summary>What a switchover costs beside content that must be sent. Ticks are as fine as a file or the wire needs.</summary>
/// <param name="Fixed">Whatever the container's size.</param>
/// <param name="PerPage">For each page of its memory.</param>
/// <param name="Migrations">How many migrations that was learned from.</param>
internal readonly record struct DowntimeCosts(
    [property: JsonIgnore] TimeSpan Fixed, [property: JsonIgnore] TimeSpan PerPage, int Migrations = 0)
{
    private static readonly TimeSpan s_mostFixed = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan s_mostPerPage = TimeSpan.FromMilliseconds(10);

    /// <summary>For a file.</summary>
    [JsonConstructor]
    public DowntimeCosts(double fixedMilliseconds, double perPageMicroseconds, int migrations)
        : this(Bounded(fixedMilliseconds / 1e3), Bounded(perPageMicroseconds / 1e6), migrations)
    {
    }

    /// <summary>What is expected where nothing was learned.</summary>
    public static DowntimeCosts Usual => new(DowntimeModel.DefaultFixed, DowntimeModel.DefaultPerPage);

    /// <summary>The same as a file has it.</summary>
    public double FixedMilliseconds => Fixed.TotalMilliseconds;

    /// <summary>The same as a file has it.</summary>
    public double PerPageMicroseconds => PerPage.TotalMicroseconds;

    /// <summary>Can they be of a machine of this world? A file or a peer may say anything.</summary>
    [JsonIgnore]
    public bool IsBelievable => Fixed > TimeSpan.Zero && Fixed <= s_mostFixed && PerPage > TimeSpan.Zero && PerPage <= s_mostPerPage && Migrations > 0;

    /// <summary>Half-way between two experiences.</summary>
    public DowntimeCosts MeanWith(DowntimeCosts other) => new((Fixed + other.Fixed) / 2, (PerPage + other.PerPage) / 2, Math.Max(Migrations, other.Migrations));

    private static TimeSpan Bounded(double seconds) => seconds > 0 && seconds < 3600 ? TimeSpan.FromSeconds(seconds) : TimeSpan.Zero;
}

/// <summary>A serialiser made by the compiler, for ahead-of-time compilation.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DowntimeCosts))]
internal sealed partial class DowntimeCostsJson : JsonSerializerContext;
