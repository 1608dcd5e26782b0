using System.Text.Json.Serialization;

namespace P2PMigrate.Migration;

/// <summary>What a switchover costs beside content that must be sent. Ticks are as fine as a file or the wire needs.</summary>
/// <param name="Fixed">Whatever the container's size.</param>
/// <param name="PerPage">For each page of its memory.</param>
/// <param name="Migrations">How many migrations that was learned from.</param>
internal readonly record struct DowntimeCosts(
    [property: JsonIgnore] TimeSpan Fixed, [property: JsonIgnore] TimeSpan PerPage, int Migrations = 0)
{
    /// <summary>More than these teach nothing more.</summary>
    public const int MostMigrations = 1_000_000;

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

    /// <summary>The same, but no part more than <see cref="DowntimeModel.MostSurprise"/> times that of <paramref name="known"/>, or less than that part of it.</summary>
    public DowntimeCosts Near(DowntimeCosts known) => this with { Fixed = Near(Fixed, known.Fixed), PerPage = Near(PerPage, known.PerPage) };

    private static TimeSpan Near(TimeSpan told, TimeSpan known) =>
        TimeSpan.FromTicks(Math.Clamp(told.Ticks, (long)(known.Ticks / DowntimeModel.MostSurprise), (long)(known.Ticks * DowntimeModel.MostSurprise)));

    private static TimeSpan Bounded(double seconds) => seconds > 0 && seconds < 3600 ? TimeSpan.FromSeconds(seconds) : TimeSpan.Zero;
}

/// <summary>A serialiser made by the compiler, for ahead-of-time compilation.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DowntimeCosts))]
internal sealed partial class DowntimeCostsJson : JsonSerializerContext;
