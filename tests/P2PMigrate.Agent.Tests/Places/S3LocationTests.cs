using P2PMigrate.Agent.Commands;
using P2PMigrate.Agent.Places;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Agent.Tests.Places;

public sealed class S3LocationTests
{
    private readonly Dictionary<string, string?> _environment = CephServer.EnvironmentOf(new Uri("http://127.0.0.1:9000"));

    [Theory]
    [Trait("Spec", "DEP-40")]
    [InlineData("s3://moves", "moves", "", "s3://moves")]
    [InlineData("s3://moves/", "moves", "", "s3://moves")]
    [InlineData("s3://moves/a/b/", "moves", "a/b/", "s3://moves/a/b")]
    public void A_place_is_a_bucket_and_a_prefix(string typed, string bucket, string prefix, string place)
    {
        S3Location location = S3Location.Of(typed, _environment.GetValueOrDefault);
        Assert.Equal((bucket, prefix, place, "us-east-1"), (location.Bucket, location.Prefix, location.Place, location.Region));
    }

    [Fact]
    public void Without_an_endpoint_it_is_AWS_in_the_region()
    {
        _environment["AWS_ENDPOINT_URL"] = null;
        _environment["AWS_REGION"] = "eu-central-1";
        Assert.Equal("https://s3.eu-central-1.amazonaws.com/", S3Location.Of("s3://moves", _environment.GetValueOrDefault).Endpoint.ToString());
    }

    [Theory]
    [InlineData("s3://")]
    [InlineData("s3:///x")]
    [InlineData("s3://a/x")]
    [InlineData("s3://user:password@host/x")]
    [InlineData("s3://moves/../x")]
    public void What_names_no_bucket_is_refused(string typed) => Assert.Throws<UsageException>(() => S3Location.Of(typed, _environment.GetValueOrDefault));

    [Theory]
    [InlineData("AWS_ACCESS_KEY_ID")]
    [InlineData("AWS_SECRET_ACCESS_KEY")]
    public void What_is_missing_in_the_environment_is_named(string variable)
    {
        _environment[variable] = "";
        Assert.Contains(variable, Assert.Throws<UsageException>(() => S3Location.Of("s3://moves", _environment.GetValueOrDefault)).Message);
    }

    [Theory]
    [InlineData("store.example")]
    [InlineData("ftp://store.example")]
    [InlineData("https://store.example/path")]
    [InlineData("https://user:password@store.example")]
    public void An_endpoint_that_is_none_is_refused(string endpoint)
    {
        _environment["AWS_ENDPOINT_URL"] = endpoint;
        Assert.Contains("AWS_ENDPOINT_URL", Assert.Throws<UsageException>(() => S3Location.Of("s3://moves", _environment.GetValueOrDefault)).Message);
    }

    [Fact]
    public void Secrets_are_not_printed() =>
        Assert.DoesNotContain("testsecret", S3Location.Of("s3://moves", _environment.GetValueOrDefault).ToString());

    [Fact]
    [Trait("Spec", "ID-18")]
    public void A_reader_is_named_by_its_key_or_a_ticket_and_not_by_its_id()
    {
        using PrivateIdentity peer = PrivateIdentity.Create(CryptographicEntropy.Instance);
        Assert.Equal(peer.Public, SealChoice.KeyOf(KeyText.Format(peer.Public)));
        Assert.Contains("id --key", Assert.Throws<UsageException>(() => SealChoice.KeyOf(peer.PeerId.ToString())).Message);
        Assert.Throws<UsageException>(() => SealChoice.KeyOf("p2pk1"));
    }
}
