import Foundation
import Mosaic

/// The XML of a SAFE product, with the elements that readers of Sentinel-2 L2A look for (ESA, Sentinel-2
/// Products Specification Document S2-PDGS-TAS-DI-PSD issue 14.9). All text in it is this program's own.
struct SafeDocuments {
    let granule: Granule
    let names: GranuleNames
    let labels: GranuleLabels
    /// A closed ring of longitude and latitude.
    let footprint: [(x: Double, y: Double)]

    /// All thirteen bands of the instrument, by `band_id`.
    private static let bandCount = 13

    /// `GRANULE/…/IMG_DATA/R10m/T33TWM_20240710T095031_B02_10m`, without the file's ending.
    func imagePath(_ band: SampleBand) -> String {
        let metres = "\(band.resolution)m"
        return "GRANULE/\(names.granuleFolder)/IMG_DATA/R\(metres)/T\(names.tile)_\(names.sensing)_"
            + "\(band.rawValue)_\(metres)"
    }

    /// `MTD_MSIL2A.xml`.
    var product: String {
        let ring = footprint.map { "\($0.y) \($0.x)" }.joined(separator: " ")
        return """
            <?xml version="1.0" encoding="UTF-8" standalone="no"?>
            <n1:Level-2A_User_Product \
            xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-2A.xsd">
              <n1:General_Info>
            \(productInfo)
            \(imageCharacteristics)
              </n1:General_Info>
              <n1:Geometric_Info>
                <Product_Footprint>
                  <Product_Footprint>
                    <Global_Footprint>
                      <EXT_POS_LIST>\(ring)</EXT_POS_LIST>
                    </Global_Footprint>
                  </Product_Footprint>
                </Product_Footprint>
              </n1:Geometric_Info>
              <n1:Quality_Indicators_Info>
                <Cloud_Coverage_Assessment>\(labels.cloudCover)</Cloud_Coverage_Assessment>
                <Image_Content_QI>
                  \(contentIndicators.joined(separator: "\n      "))
                </Image_Content_QI>
              </n1:Quality_Indicators_Info>
            </n1:Level-2A_User_Product>

            """
    }

    private var productInfo: String {
        let images = SampleBand.allCases.map { "<IMAGE_FILE>\(imagePath($0))</IMAGE_FILE>" }
        let start = names.time(granule.acquired)
        let made = names.time(granule.acquired.addingTimeInterval(16_481))
        return """
                <Product_Info>
                  <PRODUCT_START_TIME>\(start)</PRODUCT_START_TIME>
                  <PRODUCT_STOP_TIME>\(start)</PRODUCT_STOP_TIME>
                  <PRODUCT_URI>\(names.product)</PRODUCT_URI>
                  <PROCESSING_LEVEL>Level-2A</PROCESSING_LEVEL>
                  <PRODUCT_TYPE>S2MSI2A</PRODUCT_TYPE>
                  <PROCESSING_BASELINE>\(GranuleNames.baseline)</PROCESSING_BASELINE>
                  <GENERATION_TIME>\(made)</GENERATION_TIME>
                  <Datatake datatakeIdentifier="\(names.datatake)">
                    <SPACECRAFT_NAME>Sentinel-2\(names.platform.suffix(1))</SPACECRAFT_NAME>
                    <DATATAKE_TYPE>INS-NOBS</DATATAKE_TYPE>
                    <DATATAKE_SENSING_START>\(start)</DATATAKE_SENSING_START>
                    <SENSING_ORBIT_NUMBER>\(GranuleNames.relativeOrbit)</SENSING_ORBIT_NUMBER>
                    <SENSING_ORBIT_DIRECTION>DESCENDING</SENSING_ORBIT_DIRECTION>
                  </Datatake>
                  <Query_Options completeSingleTile="true">
                    <PRODUCT_FORMAT>SAFE_COMPACT</PRODUCT_FORMAT>
                  </Query_Options>
                  <Product_Organisation>
                    <Granule_List>
                      <Granule datastripIdentifier="\(names.datastrip)" \
            granuleIdentifier="\(names.tileID)" imageFormat="JPEG2000">
                        \(images.joined(separator: "\n            "))
                      </Granule>
                    </Granule_List>
                  </Product_Organisation>
                </Product_Info>
            """
    }

    private var imageCharacteristics: String {
        let offsets = (0..<Self.bandCount).map {
            "<BOA_ADD_OFFSET band_id=\"\($0)\">\(-GranuleRenderer.offset)</BOA_ADD_OFFSET>"
        }
        return """
                <Product_Image_Characteristics>
                  <Special_Values>
                    <SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT>
                    <SPECIAL_VALUE_INDEX>0</SPECIAL_VALUE_INDEX>
                  </Special_Values>
                  <Special_Values>
                    <SPECIAL_VALUE_TEXT>SATURATED</SPECIAL_VALUE_TEXT>
                    <SPECIAL_VALUE_INDEX>65535</SPECIAL_VALUE_INDEX>
                  </Special_Values>
                  <QUANTIFICATION_VALUES_LIST>
                    <BOA_QUANTIFICATION_VALUE unit="none">10000</BOA_QUANTIFICATION_VALUE>
                    <AOT_QUANTIFICATION_VALUE unit="none">1000.0</AOT_QUANTIFICATION_VALUE>
                    <WVP_QUANTIFICATION_VALUE unit="cm">1000.0</WVP_QUANTIFICATION_VALUE>
                  </QUANTIFICATION_VALUES_LIST>
                  <BOA_ADD_OFFSET_VALUES_LIST>
                    \(offsets.joined(separator: "\n        "))
                  </BOA_ADD_OFFSET_VALUES_LIST>
                </Product_Image_Characteristics>
            """
    }

    private var contentIndicators: [String] {
        let indicators = [
            ("NODATA_PIXEL_PERCENTAGE", 0), ("SATURATED_DEFECTIVE_PIXEL_PERCENTAGE", 1),
            ("DARK_FEATURES_PERCENTAGE", 2), ("CLOUD_SHADOW_PERCENTAGE", 3), ("VEGETATION_PERCENTAGE", 4),
            ("NOT_VEGETATED_PERCENTAGE", 5), ("WATER_PERCENTAGE", 6), ("UNCLASSIFIED_PERCENTAGE", 7),
            ("MEDIUM_PROBA_CLOUDS_PERCENTAGE", 8), ("HIGH_PROBA_CLOUDS_PERCENTAGE", 9),
            ("THIN_CIRRUS_PERCENTAGE", 10), ("SNOW_ICE_PERCENTAGE", 11),
        ]
        return indicators.map { "<\($0.0)>\(labels.percent($0.1))</\($0.0)>" }
    }

    /// `GRANULE/…/MTD_TL.xml`.
    var tile: String {
        let sizes = [10, 20].map { resolution in
            let side = granule.size * 10 / resolution
            return "<Size resolution=\"\(resolution)\"><NROWS>\(side)</NROWS><NCOLS>\(side)</NCOLS></Size>"
        }
        let positions = [10, 20].map { resolution in
            "<Geoposition resolution=\"\(resolution)\"><ULX>\(granule.originX)</ULX>"
                + "<ULY>\(granule.originY)</ULY>"
                + "<XDIM>\(resolution)</XDIM><YDIM>-\(resolution)</YDIM></Geoposition>"
        }
        return """
            <?xml version="1.0" encoding="UTF-8" standalone="no"?>
            <n1:Level-2A_Tile_ID \
            xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/S2_PDI_Level-2A_Tile_Metadata.xsd">
              <n1:General_Info>
                <TILE_ID metadataLevel="Brief">\(names.tileID)</TILE_ID>
                <DATASTRIP_ID metadataLevel="Standard">\(names.datastrip)</DATASTRIP_ID>
                <SENSING_TIME metadataLevel="Standard">\
            \(names.time(granule.acquired.addingTimeInterval(495)))</SENSING_TIME>
              </n1:General_Info>
              <n1:Geometric_Info>
                <Tile_Geocoding metadataLevel="Brief">
                  <HORIZONTAL_CS_NAME>WGS84 / UTM zone \(granule.zone)N</HORIZONTAL_CS_NAME>
                  <HORIZONTAL_CS_CODE>\(granule.crs.name)</HORIZONTAL_CS_CODE>
                  \(sizes.joined(separator: "\n      "))
                  \(positions.joined(separator: "\n      "))
                </Tile_Geocoding>
              </n1:Geometric_Info>
              <n1:Quality_Indicators_Info metadataLevel="Standard">
                <Image_Content_QI>
                  <CLOUDY_PIXEL_PERCENTAGE>\(labels.cloudCover)</CLOUDY_PIXEL_PERCENTAGE>
                  \(contentIndicators.joined(separator: "\n      "))
                </Image_Content_QI>
              </n1:Quality_Indicators_Info>
            </n1:Level-2A_Tile_ID>

            """
    }

    /// `manifest.safe`: each file of the product with its size and SHA3-256, as products since baseline 04.00
    /// have.
    static func manifest(_ files: [(path: String, bytes: Int, sha3: String)]) -> String {
        let objects = files.enumerated().map { number, file in
            """
                <dataObject ID="file\(number + 1)">
                  <byteStream mimeType="application/octet-stream" size="\(file.bytes)">
                    <fileLocation locatorType="URL" href="./\(file.path)"/>
                    <checksum checksumName="SHA3-256">\(file.sha3)</checksum>
                  </byteStream>
                </dataObject>
            """
        }
        return """
            <?xml version="1.0" encoding="UTF-8"?>
            <xfdu:XFDU xmlns:xfdu="urn:ccsds:schema:xfdu:1" \
            version="esa/safe/sentinel/1.1/sentinel-2/msi/archive_l2a">
              <dataObjectSection>
            \(objects.joined(separator: "\n"))
              </dataObjectSection>
            </xfdu:XFDU>

            """
    }
}
